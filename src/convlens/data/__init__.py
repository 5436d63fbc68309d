"""Photos on their way from a source to memory-mapped arrays."""

SPLITS = ("train", "validation", "test")
