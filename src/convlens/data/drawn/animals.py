"""The animals that can be drawn: a head and a tail each; the rest of the body is one for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from convlens.data.drawn.bear import bear_tail, draw_bear
from convlens.data.drawn.body import Tail
from convlens.data.drawn.cat import cat_tail, draw_cat
from convlens.data.drawn.dog import dog_tail, draw_dog
from convlens.data.drawn.face import Head
from convlens.data.drawn.rabbit import draw_rabbit, rabbit_tail


@dataclass(frozen=True)
class Animal:
    """What tells one kind of animal from the others."""

    head: Callable[[Head], None]
    tail: Tail


ANIMALS = {
    "cat": Animal(draw_cat, cat_tail),
    "dog": Animal(draw_dog, dog_tail),
    "rabbit": Animal(draw_rabbit, rabbit_tail),
    "bear": Animal(draw_bear, bear_tail),
}
