"""What a run shows: arrays and models in, PNG files with their tables out."""
