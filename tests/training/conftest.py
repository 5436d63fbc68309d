"""A tiny data set and the real parameters, shrunk."""

from pathlib import Path

import numpy as np
import pytest

from convlens import params
from convlens.files import write_json
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


def write_prepared(folder: Path, classes=("cat", "dog"), side: int = 48) -> Path:
    """Write splits in which each class but the first has a bright strip: learnable in few steps."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows = ["path,label,split,group,sha256,phash,format,mode,width,height"]
    for split, count in (("train", 96), ("validation", 40), ("test", 40)):
        labels = (np.arange(count) % len(classes)).astype(np.uint8)
        images = rng.integers(0, 160, (count, side, side, 3), dtype=np.uint8)
        strip = side // 2
        for label in range(1, len(classes)):
            images[labels == label, (label - 1) * strip : label * strip] += 60
        np.save(folder / f"{split}.npy", images)
        np.save(folder / f"{split}_labels.npy", labels)
        names = [classes[label] for label in labels]
        rows += [f"{split}/{i}.png,{n},{split},,,,PNG,RGB,9,9" for i, n in enumerate(names)]
    write_json(folder / "data.json", {"classes": classes})
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("data") / "prepared")


@pytest.fixture(scope="session")
def prepared_three(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("data") / "prepared", ("fox", "hen", "owl"))
