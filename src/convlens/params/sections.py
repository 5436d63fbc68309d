"""The typed, strict mirror of params.yaml: one class a section, one clear error for any mistake."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from convlens import class_names

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
NET = r"\w+([:+-]\w+)*"  # as models/registry.py reads it; a file's name too
BY_NET = ("features.layer", "explain.layer", "explain.filters.layers")  # an entry a net
CONVNET = "convnet"  # the net without a base
NO_ARCHIVE = "data/none"  # an empty place that DVC can watch where no archive is read


def is_net(name: str) -> bool:
    """Return whether a section of that name is a net's; those of the tutorials' two are fixed."""
    return re.fullmatch(NET, name) is not None and not name.isidentifier()


class Section(BaseModel):
    """A part of params.yaml: frozen, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class SplitSizes(Section):
    """Sizes of the splits: fractions of the images (sum ≤ 1) or counts a class."""

    train: Annotated[float, Field(gt=0)] | Count
    validation: Annotated[float, Field(gt=0)] | Count
    test: Annotated[float, Field(gt=0)] | Count

    @model_validator(mode="after")
    def _one_unit(self) -> SplitSizes:
        sizes = (self.train, self.validation, self.test)
        if len({isinstance(size, int) for size in sizes}) > 1:
            raise ValueError("mix of fractions and counts; use one of them for all three")
        if isinstance(self.train, float) and sum(sizes) > 1 + 1e-9:
            raise ValueError(f"the fractions add up to {sum(sizes):g}, which is more than 1")
        return self


class DataParams(Section):
    """Section `data`: where the photos come from and how they are split."""

    source: Literal[
        "drawn", "archive", "cats-and-dogs-small", "kaggle-cats-dogs", "flowers", "pets"
    ]
    archive: str | None = Field(description="local zip, tar or folder; for source `archive`")
    sha256: Sha256 | None = Field(description="the pinned digest of the archive, if known")
    classes: list[str] | dict[str, list[str]] | None = Field(
        default=None, description="names, or names and their folders; null: every folder is a class"
    )
    seed: Seed
    image_size: Annotated[int, Field(ge=32, le=512)] = Field(description="pixels a side")
    split: SplitSizes
    max_bad_fraction: Fraction = Field(description="stop above this share of quarantined images")
    examples: Annotated[int, Field(ge=1, le=32)] = Field(description="example photos a class")

    @field_validator("classes")
    @classmethod
    def _classes_can_be_named(
        cls, asked: list[str] | dict[str, list[str]] | None
    ) -> list[str] | dict[str, list[str]] | None:
        if asked is None:
            return asked
        if wrong := class_names.fault(asked):
            raise ValueError(wrong)
        if isinstance(asked, dict):
            folders = [class_names.fold(folder) for given in asked.values() for folder in given]
            if empty := [name for name, given in asked.items() if not given]:
                raise ValueError(f"class {empty[0]!r} has no folder; name one, or leave it out")
            if len(set(folders)) < len(folders):
                twice = next(f for f in folders if folders.count(f) > 1)
                raise ValueError(f"folder {twice!r} is named twice")
        return asked

    @model_validator(mode="after")
    def _archive_given(self) -> DataParams:
        if self.source == "archive" and self.archive in (None, "", NO_ARCHIVE):
            raise ValueError("source is 'archive' but data.archive names no file")
        if self.source == "drawn" and isinstance(self.split.train, float):
            raise ValueError("source 'drawn' wants counts a class in data.split, not fractions")
        return self


class RuntimeParams(Section):
    """Section `runtime`: how every TensorFlow stage computes."""

    precision: Literal["auto", "float32", "bfloat16"]
    threads: Annotated[int, Field(ge=0, le=256)] = Field(description="0: one a core")
    engine: Literal["local", "ray"] = Field(default="local", description="what runs the batches")
    workers: Annotated[int, Field(ge=0)] = Field(default=0, description="of Ray; 0: one a CPU")

    @model_validator(mode="after")
    def _threads_of_workers(self) -> RuntimeParams:
        if self.engine == "ray" and not self.threads:
            raise ValueError("engine ray wants runtime.threads of each worker, e.g. 1")
        return self


class AugmentParams(Section):
    """Strengths of the random transforms; 0 switches one off."""

    rotation: Annotated[float, Field(ge=0, le=180)] = Field(description="± degrees")
    shift: Fraction = Field(description="± share of the side, both axes")
    shear: Annotated[float, Field(ge=0, lt=60)] = Field(description="± degrees")
    zoom: Annotated[float, Field(ge=0, lt=1)] = Field(description="scale in [1 - zoom, 1 + zoom]")
    flip: bool = Field(description="mirror left-right with probability 1/2")
    brightness: Fraction = Field(description="factor in [1 - b, 1 + b]")
    contrast: Fraction = Field(description="factor in [1 - c, 1 + c]")
    colour: Annotated[float, Field(ge=0, le=128)] = Field(description="± levels a channel, of 255")


class FitParams(Section):
    """What both trainings share; no section of its own."""

    seed: Seed
    epochs: Count
    batch_size: Count
    optimizer: Literal["adamw", "rmsprop"]
    learning_rate: Positive
    weight_decay: Annotated[float, Field(ge=0)]
    schedule: Literal["constant", "cosine"]
    warmup_epochs: Annotated[float, Field(ge=0)]
    ema: Annotated[float, Field(ge=0, lt=1)] = Field(description="momentum of the weights; 0: off")
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]

    @property
    def all_epochs(self) -> int:
        """Epochs of all phases."""
        return self.epochs

    @model_validator(mode="after")
    def _consistent(self) -> FitParams:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs {self.warmup_epochs:g} must be less than epochs {self.epochs}"
            )
        if self.schedule == "constant" and self.warmup_epochs:
            raise ValueError("warmup_epochs belongs to schedule 'cosine'; set it to 0")
        if self.optimizer == "rmsprop" and self.weight_decay:
            raise ValueError("weight_decay belongs to optimizer 'adamw'; set it to 0")
        return self


class ConvnetParams(FitParams):
    """Section `convnet`: the tutorials' small net, trained from scratch."""

    input_range: Literal["0..1", "-1..1"]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    augment: AugmentParams


class FeaturesParams(Section):
    """Section `features`: which views of the training images the frozen base sees, once."""

    seed: Seed
    preprocessing: Literal["caffe", "0..1"]
    layer: dict[str, str | None] = Field(
        description="net -> whose maps are cached, and fine-tuning begins behind; null: its last"
    )
    views: Annotated[int, Field(ge=1, le=64)] = Field(description="the first one is plain")
    batch_size: Count
    augment: AugmentParams


class FineTuneParams(Section):
    """Fine-tuning of the layers behind features.layer, after the head."""

    epochs: Annotated[int, Field(ge=0)] = Field(description="0: the base stays frozen")
    learning_rate: Positive


class BaseParams(FitParams):
    """Section of a net with a base, as `vgg16`: the head, then perhaps the base's last layers."""

    weights: str | None = Field(description="a local file of the ImageNet weights")
    pooling: Literal["flatten", "average"]
    units: Annotated[int, Field(ge=0)] = Field(description="hidden units; 0: a linear head")
    dropout: Annotated[float, Field(ge=0, lt=1)]
    fine_tune: FineTuneParams

    @property
    def all_epochs(self) -> int:
        """Epochs of the head, then of fine-tuning."""
        return self.epochs + self.fine_tune.epochs


class EvaluateParams(Section):
    """Section `evaluate`."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    calibration_bins: Annotated[int, Field(ge=2, le=100)]
    mistakes: Annotated[int, Field(ge=1, le=48)]
    mirror: bool = Field(description="also score the mean of each image and its mirror image")


class FilterParams(Section):
    """Filter pictures by gradient ascent."""

    layers: dict[str, list[str]]
    count: Count = Field(description="the first so many channels of each layer")
    steps: Count
    size: Annotated[int, Field(ge=32, le=512)] = Field(description="pixels a side")


class ExplainParams(Section):
    """Section `explain`."""

    colormap: Literal["viridis", "plasma"]
    method: Literal["grad-cam", "grad-cam++", "layer-cam", "hires-cam"]
    layer: dict[str, str | None] = Field(
        description="whose maps the heatmaps weigh; null: the last convolution"
    )
    channel: Annotated[int, Field(ge=0)] | None = Field(description="null: the most varied one")
    filters: FilterParams
    faithfulness_images: Count
    faithfulness_steps: Annotated[int, Field(ge=2)]


class ImagenetParams(Section):
    """Section `imagenet`: the original 1000-class VGG16."""

    enabled: bool
    weights: str | None


class RegistryParams(Section):
    """Section `registry`: when a candidate becomes the champion."""

    min_accuracy: Fraction = Field(description="the first champion's test accuracy, at least")
    max_calibration_loss: Fraction = Field(description="how much worse its ECE may be")


class Params(Section):
    """The whole of params.yaml; nets other than the tutorials' two have sections of their own."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, BaseParams] = Field(init=False)

    nets: list[Annotated[str, Field(pattern=NET)]] = Field(
        min_length=1, description="what is trained, tested, explained and shown side by side"
    )
    data: DataParams
    runtime: RuntimeParams
    convnet: ConvnetParams
    features: FeaturesParams
    vgg16: BaseParams
    evaluate: EvaluateParams
    explain: ExplainParams
    imagenet: ImagenetParams
    registry: RegistryParams

    def of(self, net: str) -> ConvnetParams | BaseParams:
        """Return the section of a net."""
        found: ConvnetParams | BaseParams = getattr(self, net)
        return found

    @model_validator(mode="before")
    @classmethod
    def _no_unknown_section(cls, raw: Any) -> Any:
        if isinstance(raw, dict):
            for key in raw.keys() - cls.model_fields.keys():
                if not is_net(str(key)):
                    raise ValueError(f"a section or a net's, which {key!r} is not")
        return raw

    @model_validator(mode="after")
    def _nets_have_sections(self) -> Params:
        if len(set(self.nets)) < len(self.nets):
            raise ValueError("a net is named twice in nets")
        for net in self.nets:
            if net not in {*type(self).model_fields, *(self.__pydantic_extra__ or {})}:
                raise ValueError(f"net {net} has no section; copy section vgg16 under its name")
        return self

    @model_validator(mode="after")
    def _fine_tuning_has_features(self) -> Params:
        for net in ("vgg16", *(self.__pydantic_extra__ or {})):
            layer = self.features.layer.get(net)
            if self.of(net).all_epochs > self.of(net).epochs and layer in (None, "block5_pool"):
                raise ValueError(
                    f"{net}.fine_tune.epochs is not 0, so features.layer.{net} must name an "
                    "earlier layer than the last one, such as block4_pool of vgg16"
                )
        return self
