"""The table in ../shared/data/README.md, on the real photos it describes."""

import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from convlens.data.ingest import prepare
from convlens.params import DataParams, SplitSizes

PARAMS = DataParams(
    source="archive", archive="petimages_sample.zip", sha256=None, seed=7, image_size=64,
    split=SplitSizes(train=0.6, validation=0.2, test=0.2), max_bad_fraction=0.05, examples=1,
)  # fmt: skip


def table(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as source:
        return {row["path"].removeprefix("PetImages/"): row for row in csv.DictReader(source)}


@pytest.fixture(scope="module")
def prepared(shared_data, tmp_path_factory) -> Path:
    archive = shared_data / "petimages_sample.zip"
    if not archive.exists():
        pytest.skip("no petimages_sample.zip beside the repository")
    out = tmp_path_factory.mktemp("petimages") / "out"
    prepare(archive, out, PARAMS, workers=1)
    return out


def test_quarantine_is_exactly_the_table(prepared) -> None:
    reasons = {name: row["reason"] for name, row in table(prepared / "quarantine.csv").items()}
    assert reasons == {
        "Cat/666.jpg": "empty",
        "Dog/11702.jpg": "empty",
        "Cat/11095.jpg": "truncated",
        "Dog/11233.jpg": "not an image",
        "Cat/3000.jpg": "conflicting labels",
        "Dog/3000.jpg": "conflicting labels",
    }


def test_real_formats_and_modes_are_in_the_manifest(prepared) -> None:
    kept = table(prepared / "manifest.csv")
    unusual = {
        name: (row["format"], row["mode"])
        for name, row in kept.items()
        if (row["format"], row["mode"]) != ("JPEG", "RGB")
    }
    assert {name: kind for name, (kind, _) in unusual.items() if kind != "JPEG"} == {
        "Cat/10404.jpg": "GIF",
        "Dog/2317.jpg": "PNG",
        "Dog/9500.jpg": "BMP",
    }
    assert unusual["Dog/2317.jpg"] == ("PNG", "RGBA")
    assert unusual["Cat/5370.jpg"] == ("JPEG", "CMYK")
    assert unusual["Dog/5604.jpg"] == ("JPEG", "L")
    assert len(unusual) == 5


def test_copies(prepared) -> None:
    kept, dropped = table(prepared / "manifest.csv"), table(prepared / "duplicates.csv")
    places = [name in kept for name in ("Cat/20001.jpg", "Cat/2001.jpg")]
    assert sorted(places) == [False, True]
    groups = [(kept | dropped)[name]["group"] for name in ("Dog/20050.jpg", "Dog/2050.jpg")]
    assert groups[0] == groups[1]
    shared = [g for g, n in Counter(row["group"] for row in kept.values()).items() if n > 1]
    assert set(shared) <= {groups[0]}
    splits = {kept[n]["split"] for n in ("Dog/20050.jpg", "Dog/2050.jpg") if n in kept}
    assert len(splits) == 1


def test_everything_else_is_kept_and_counted(prepared) -> None:
    data = json.loads((prepared / "data.json").read_text())
    assert data["accounting"] == {
        "entries": 218,
        "manifest": 206,
        "quarantine": 6,
        "duplicates": 2,
        "ignored": 4,
    }
    assert data["ignored"] == {"not named like a photo": 4}


def test_the_turned_photo_stands_upright(prepared, shared_data) -> None:
    manifest = table(prepared / "manifest.csv")
    place = manifest["Cat/12080.jpg"]["split"]
    rows = [name for name, row in manifest.items() if row["split"] == place]
    with zipfile.ZipFile(shared_data / "petimages_sample.zip") as archive:
        image = Image.open(io.BytesIO(archive.read("PetImages/Cat/12080.jpg")))
        upright = ImageOps.exif_transpose(image).resize((64, 64), Image.Resampling.BICUBIC)
    found = np.load(prepared / f"{place}.npy")[rows.index("Cat/12080.jpg")].astype(int)
    apart = [np.abs(np.rot90(found, turns) - np.asarray(upright)).mean() for turns in range(4)]
    assert apart[0] < 3 < 20 < min(apart[1:])
