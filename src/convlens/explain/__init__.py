"""What a trained network sees: arrays only; figures draws them."""
