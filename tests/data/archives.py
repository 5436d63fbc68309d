"""Small archives of made-up pictures for the tests of the data package."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from convlens.params import DataParams, SplitSizes

CONFLICT = 999


def picture(key: object, size: int = 48) -> Image.Image:
    """A picture that looks like no other key's: smooth random blobs of colour."""
    seed = int.from_bytes(hashlib.sha256(str(key).encode()).digest()[:4], "big")
    blobs = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(blobs).resize((size, size), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def photo(key: object, kind: str = "JPEG", **options: object) -> bytes:
    return encoded(picture(key), kind, **options)


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def write_files(folder: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def class_folders(count: int, form: str = "{label}s/{n}.jpg") -> dict[str, bytes]:
    """`count` photos a class."""
    return {
        form.format(label=label, n=n): photo((label, n))
        for label in ("cat", "dog")
        for n in range(count)
    }


def split_folders(**counts: int) -> dict[str, bytes]:
    """So many photos a class in each split."""
    return {
        f"pets/{split}/{label}s/{n}.jpg": photo((split, label, n))
        for split, count in counts.items()
        for label in ("cat", "dog")
        for n in range(count)
    }


def data_params(
    train: float = 0.5, validation: float = 0.25, test: float = 0.25, **changes: object
) -> DataParams:
    values: dict[str, object] = {
        "source": "archive",
        "archive": "source.zip",
        "sha256": None,
        "seed": 7,
        "image_size": 32,
        "split": SplitSizes(train=train, validation=validation, test=test),
        "max_bad_fraction": 0.5,
        "examples": 2,
    }
    return DataParams(**(values | changes))


def traps() -> dict[str, bytes]:
    """What Microsoft's archive has in store, made small, among 20 good photos a class."""
    good = class_folders(20, "PetImages/{label}/{n}.jpg")
    turned = picture("upright").transpose(Image.Transpose.ROTATE_90)  # as a tilted camera stores it
    exif = Image.Exif()
    exif[0x0112] = 6
    both = photo("both")
    clear = picture("clear").convert("RGBA")
    clear.putalpha(Image.new("L", clear.size, 0))
    return good | {
        "PetImages/Cat/empty.jpg": b"",
        "PetImages/Dog/cut.jpg": photo("cut")[:700],
        "PetImages/Dog/page.jpg": b"<html><body>404 Not Found</body></html>",
        "PetImages/Cat/gif.jpg": photo("gif", "GIF"),
        "PetImages/Dog/png.jpg": encoded(clear, "PNG"),
        "PetImages/Dog/bmp.jpg": photo("bmp", "BMP"),
        "PetImages/Cat/cmyk.jpg": encoded(picture("cmyk").convert("CMYK")),
        "PetImages/Dog/grey.jpg": encoded(picture("grey").convert("L")),
        "PetImages/Cat/turned.jpg": encoded(turned, exif=exif),
        "PetImages/Cat/copy.jpg": good["PetImages/cat/3.jpg"],
        "PetImages/Dog/again.jpg": encoded(picture(("dog", 5)), quality=40),
        "PetImages/Cat/both.jpg": both,
        "PetImages/Dog/both.jpg": both,
        "PetImages/Cat/Thumbs.db": b"\xd0\xcf\x11\xe0",
        "readme[1].txt": b"hello",
    }
