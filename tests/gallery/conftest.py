"""What a figure looks like once it is drawn."""

import numpy as np
import pytest


@pytest.fixture
def drawn():
    """Return a function from a figure to its pixels (H, W, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    def draw(figure):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3]

    return draw
