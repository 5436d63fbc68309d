"""Photos on their way from a source to memory-mapped arrays."""

CLASSES = ("cat", "dog")
SPLITS = ("train", "validation", "test")
