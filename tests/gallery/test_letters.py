"""No boxes in figures: another font, or other letters."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from convlens.gallery import letters, style
from convlens.gallery.rows import Picture, in_rows


@pytest.fixture(autouse=True)
def forget():
    letters._font_with.cache_clear()
    yield
    letters._font_with.cache_clear()


@pytest.fixture
def fonts(monkeypatch):
    """Pretend that these are the installed fonts, and these their letters."""

    def install(**known):
        own = letters._letters()
        has = {name: frozenset(map(ord, text)) for name, text in known.items()}
        has["Last Resort X"] = frozenset(range(0x10000))
        monkeypatch.setattr(letters, "_letters_of", lambda path: has.get(path, own))
        fonts = [SimpleNamespace(name=name, fname=name) for name in has]
        monkeypatch.setattr(letters, "_installed", lambda: fonts)

    return install


def test_a_font_that_has_the_letters_is_used_else_the_number(fonts):
    fonts(Alpha="犬", Beta="猫ねこ")
    assert letters.readable("ねこ 猫", "photo 3") == "ねこ 猫"
    assert letters.readable("犬猫", "photo 3") == "photo 3"
    assert letters.readable("Kätzchen – $1", "photo 3") == "Kätzchen – $1"
    text = SimpleNamespace(
        get_text=lambda: "猫", set_fontfamily=lambda family: found.append(family)
    )
    found = []
    letters.fit([text])
    assert found == [["DejaVu Sans", "Beta"]]


def test_letters_that_no_font_has_become_question_marks(tmp_path, fonts):
    fonts()
    grey = np.full((20, 20, 3), 99, np.uint8)
    pictures = [
        np.asarray(Image.open(style.save(in_rows([[Picture(grey)]], text), tmp_path / "a.png")))
        for text in ("cats/猫.jpg", "cats/?.jpg")
    ]
    np.testing.assert_array_equal(*pictures)
