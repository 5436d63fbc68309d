"""Nets of many kinds, each built once; and each seen by one Classifier."""

import functools

from convlens.explain.classifier import Classifier

seen = functools.lru_cache(maxsize=None)(Classifier)
