"""The sections of the nets: how one is trained, from scratch or on the features of its base."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from convlens.params.section import Count, Fraction, Positive, Section, Seed

NET = r"\w+([:+-]\w+)*"  # as models/registry.py reads it; a file's name too
BY_NET = ("features.layer", "explain.layer", "explain.filters.layers")  # an entry a net
CONVNET = "convnet"  # the net without a base


def is_net(name: str) -> bool:
    """Return whether a section of that name is a net's; those of the tutorials' two are fixed."""
    return re.fullmatch(NET, name) is not None and not name.isidentifier()


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
