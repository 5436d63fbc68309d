"""The confusion matrix names its classes, sorts them, and lists what is mixed up most often."""

from itertools import pairwise

import numpy as np
import pytest

from convlens.gallery import style
from convlens.gallery.evaluation import confusion


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_two_classes_stay_in_order_with_counts_and_shares():
    (axes,) = confusion(np.array([[3, 1], [0, 5]]), ["cat", "dog"], "t").axes
    assert texts(axes) == ["3\n75.0%", "1\n25.0%", "0\n0.0%", "5\n100.0%"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]


def test_more_are_sorted_by_recall_and_the_worst_pairs_are_listed():
    counts = np.array([[9, 1, 0], [4, 5, 1], [0, 3, 7]])
    matrix, beside = confusion(counts, ["a", "b", "c"], "t").axes
    assert [label.get_text() for label in matrix.get_yticklabels()] == ["b", "c", "a"]
    assert texts(matrix)[:3] == ["5\n50.0%", "1\n10.0%", "4\n40.0%"]
    (listed,) = texts(beside)
    assert listed.splitlines()[:2] == ["4 of 10  b → a", "3 of 10  c → b"]
    assert len(listed.splitlines()) == 4


@pytest.mark.parametrize("count", [37, 102])
def test_many_classes_have_names_that_do_not_overlap(tmp_path, count):
    counts = np.random.default_rng(0).integers(0, 4, (count, count)) + 60 * np.eye(count, dtype=int)
    figure = confusion(counts, [f"{'long name ' * 4}{c}" for c in range(count)], "t")
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    tops = sorted((box.y0, box.y1) for box in boxes)
    assert all(low[1] <= high[0] + 1 for low, high in pairwise(tops))
    assert max(figure.get_size_inches()) * style.DPI < 3000
    assert style.save(figure, tmp_path / "c.png").stat().st_size < 500_000


def test_a_thousand_classes_fit_one_picture():
    figure = confusion(np.eye(1000, dtype=np.int64), [str(n) for n in range(1000)], "t")
    assert max(figure.get_size_inches()) * style.DPI < 3000
    assert not figure.axes[0].get_yticklabels()
