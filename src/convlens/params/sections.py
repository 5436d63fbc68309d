"""The typed, strict mirror of params.yaml: one class a section, one clear error for any mistake."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from convlens import class_names
from convlens.params.nets import NET, BaseParams, ConvnetParams, FeaturesParams, is_net
from convlens.params.section import Count, Fraction, Section, Seed

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
NO_ARCHIVE = "data/none"  # an empty place that DVC can watch where no archive is read


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
    """Section `imagenet`: nets with ImageNet's 1000 classes."""

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

    nets: list[Annotated[str, Field(pattern=f"^{NET}$")]] = Field(
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
            if net not in {"convnet", "vgg16", *(self.__pydantic_extra__ or {})}:
                raise ValueError(f"net {net} has no section; copy section vgg16 under its name")
        return self

    @model_validator(mode="after")
    def _fine_tuning_has_features(self) -> Params:
        for net in ("vgg16", *(self.__pydantic_extra__ or {})):
            own, layer = self.of(net), self.features.layer.get(net)
            tuned = isinstance(own, BaseParams) and own.fine_tune.epochs
            if tuned and layer in (None, "block5_pool"):
                raise ValueError(
                    f"{net}.fine_tune.epochs is not 0, so features.layer.{net} must name an "
                    "earlier layer than the last one, such as block4_pool of vgg16"
                )
        return self
