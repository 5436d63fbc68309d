"""ConvLens trains two convnets on cats and dogs and shows what they see."""

__version__ = "0.1.0"
