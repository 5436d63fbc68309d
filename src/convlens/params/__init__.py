"""The typed, strict mirror of params.yaml: one class a section."""

from convlens.params.nets import (
    BY_NET,
    CONVNET,
    AugmentParams,
    BaseParams,
    ConvnetParams,
    FeaturesParams,
    FineTuneParams,
    FitParams,
)
from convlens.params.reading import changed, check, flat, load, put, tree
from convlens.params.section import Section
from convlens.params.sections import (
    NO_ARCHIVE,
    DataParams,
    EvaluateParams,
    ExplainParams,
    FilterParams,
    ImagenetParams,
    Params,
    RegistryParams,
    RuntimeParams,
    SplitSizes,
)

__all__ = [
    "BY_NET",
    "CONVNET",
    "NO_ARCHIVE",
    "AugmentParams",
    "BaseParams",
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
    "changed",
    "check",
    "flat",
    "load",
    "put",
    "tree",
]
