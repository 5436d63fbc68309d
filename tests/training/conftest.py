"""A tiny data set and the real parameters, shrunk."""

from pathlib import Path

import numpy as np
import pytest

from convlens import params
from convlens.runtime import describe

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def real():
    """The committed parameters."""
    return params.load(ROOT / "params.yaml")


@pytest.fixture
def small_convnet(real):
    return real.convnet.model_copy(update={"epochs": 4, "batch_size": 16, "warmup_epochs": 1.0})


@pytest.fixture(scope="session")
def machine(real):
    return describe(real.runtime)


def write_prepared(folder: Path, side: int = 48) -> Path:
    """Write splits in which dogs are brighter at the top: learnable in a few steps."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows = ["path,label,split,group,sha256,phash,format,mode,width,height"]
    for split, count in (("train", 96), ("validation", 40), ("test", 40)):
        labels = (np.arange(count) % 2).astype(np.uint8)
        images = rng.integers(0, 160, (count, side, side, 3), dtype=np.uint8)
        images[labels == 1, : side // 2] += 60
        np.save(folder / f"{split}.npy", images)
        np.save(folder / f"{split}_labels.npy", labels)
        names = [("cat", "dog")[label] for label in labels]
        rows += [f"{split}/{i}.png,{n},{split},,,,PNG,RGB,9,9" for i, n in enumerate(names)]
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("data") / "prepared")
