"""Drawings and their archive: the same bytes whoever draws them, and how many others."""

import hashlib
import io
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from convlens.data.drawn.archive import write_archive
from convlens.data.drawn.masks import PARTS, mask_name
from convlens.data.drawn.picture import draw

COUNTS = {"train": 3, "validation": 1, "test": 2}


def digest(*contents: bytes) -> str:
    return hashlib.sha256(b"".join(contents)).hexdigest()


def pixels(label="cat", seed=7, split="train", index=0, size=64) -> bytes:
    drawing = draw(label, seed, split, index, size)
    return drawing.image.tobytes() + drawing.mask.tobytes()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("drawn") / "source.zip"
    write_archive(path, counts=COUNTS, size=64, seed=7, workers=1)
    return path


def test_a_drawing_depends_on_its_key_and_on_all_of_it():
    drawings = [
        pixels(),
        pixels(label="dog"),
        pixels(seed=8),
        pixels(split="test"),
        pixels(index=1),
    ]
    assert pixels() == drawings[0]
    assert len(set(drawings)) == len(drawings)


# These bytes are a promise: a change makes every committed result of the drawings stale.
@pytest.mark.parametrize(
    ("label", "index", "size", "expected"),
    [
        ("cat", 0, 150, "7c5d1102bd17eeb93800e92e2187877ee8ede810db71d4ddc1f5609a6dc60182"),
        ("dog", 1, 150, "e8b31d7ec8dc382498893d7d20623df886637270105f31f79a44bf8344f33874"),
        ("cat", 2, 97, "14aee00e882d2498d076b7cdcbb74adfc571e0991b0d9d21ee14c285ed078d91"),
        ("dog", 3, 200, "0fae0a7d7da806c9b031bf172b855107356093343b8b0ebd66ed38c5cb1a4353"),
    ],
)
def test_drawings_have_the_promised_pixels(label, index, size, expected):
    assert digest(pixels(label, index=index, size=size)) == expected


def test_archive_has_the_promised_bytes(archive):
    assert (
        digest(archive.read_bytes())
        == "1952064891b80568f03bf1a0e8dad9337364a7e3294b4e7ae4c73c5b26655184"
    )


def test_archive_is_the_same_from_any_number_of_workers(archive, tmp_path):
    path = tmp_path / "parallel.zip"
    write_archive(path, counts=COUNTS, size=64, seed=7, workers=3)
    assert path.read_bytes() == archive.read_bytes()


def test_pictures_do_not_depend_on_how_many_are_drawn(archive, tmp_path):
    path = tmp_path / "fewer.zip"
    write_archive(path, counts={"train": 1, "test": 1}, size=64, seed=7, workers=1)
    with zipfile.ZipFile(path) as fewer, zipfile.ZipFile(archive) as more:
        assert len(fewer.namelist()) == 8
        assert all(fewer.read(name) == more.read(name) for name in fewer.namelist())


def test_archive_holds_pictures_and_their_exact_masks(archive):
    with zipfile.ZipFile(archive) as source:
        names = source.namelist()
        assert names == sorted(names)
        assert {entry.compress_type for entry in source.infolist()} == {zipfile.ZIP_STORED}
        pictures = [name for name in names if name.endswith(".jpg")]
        assert len(pictures) == 2 * sum(COUNTS.values())
        assert set(names) == {*pictures, *map(mask_name, pictures)}
        assert mask_name("drawn/test/dogs/dog.0001.jpg") == "masks/drawn/test/dogs/dog.0001.gif"
        for name in pictures:
            _, split, folder, file = name.split("/")
            label, number, _ = file.split(".")
            assert folder == label + "s"
            drawing = draw(label, 7, split, int(number), 64)
            jpeg = np.asarray(Image.open(io.BytesIO(source.read(name))), float)
            assert np.abs(jpeg - np.asarray(drawing.image)).mean() < 6
            mask = np.asarray(Image.open(io.BytesIO(source.read(mask_name(name)))))
            np.testing.assert_array_equal(mask, np.asarray(drawing.mask))
            assert mask.max() <= max(PARTS.values())


SCRIPT = """
import sys
from pathlib import Path
from convlens.data.drawn.archive import write_archive

def report(items, **_):
    for item in items:
        print("drawn", flush=True)
        yield item

if __name__ == "__main__":
    write_archive(Path(sys.argv[1]), counts={"train": 5000}, size=64, seed=1,
                  workers=2, progress=report)
"""


def test_an_interrupt_leaves_nothing(tmp_path):
    script, target = tmp_path / "script.py", tmp_path / "out" / "source.zip"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert list(target.parent.iterdir())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode != 0
    assert list(target.parent.iterdir()) == []
