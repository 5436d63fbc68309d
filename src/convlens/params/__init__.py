"""The typed, strict mirror of params.yaml: one class a section."""

from convlens.params.reading import check, load
from convlens.params.sections import (
    MODELS,
    AugmentParams,
    ConvnetParams,
    DataParams,
    EvaluateParams,
    ExplainParams,
    FeaturesParams,
    FilterParams,
    FineTuneParams,
    FitParams,
    ImagenetParams,
    Params,
    RegistryParams,
    RuntimeParams,
    Section,
    SplitSizes,
    Vgg16Params,
)

__all__ = [
    "MODELS",
    "AugmentParams",
    "ConvnetParams",
    "DataParams",
    "EvaluateParams",
    "ExplainParams",
    "FeaturesParams",
    "FilterParams",
    "FineTuneParams",
    "FitParams",
    "ImagenetParams",
    "Params",
    "RegistryParams",
    "RuntimeParams",
    "Section",
    "SplitSizes",
    "Vgg16Params",
    "check",
    "load",
]
