"""Hostile archives are refused by name before anything is written; layouts are recognised."""

import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from archives import class_folders, data_params, photo, split_folders, write_zip

from convlens.data import archive as rules
from convlens.data.archive import open_archive
from convlens.data.ingest import prepare
from convlens.data.layout import LAYOUTS, arrange
from convlens.data.sources import fetch
from convlens.errors import InputError
from convlens.files import read_csv

GOOD = class_folders(4)


def refused(source: Path, *words: str) -> None:
    """Both stages refuse `source` with all the `words`, and leave no file behind."""
    out = source.parent / "out"
    params = data_params(archive=str(source))
    for stage in (
        lambda: fetch(params, out / "source.zip"),
        lambda: prepare(source, out / "prepared", params, workers=1),
    ):
        with pytest.raises(InputError) as caught:
            stage()
        for word in words:
            assert word in str(caught.value)
        left = [path for path in out.rglob("*") if path.suffix != ".lock"]
        assert left == []


def patch_central(path: Path, name: str, offset: int, value: bytes) -> None:
    """Overwrite bytes of a member's central-directory record, as a forger would."""
    content = bytearray(path.read_bytes())
    record = content.rfind(b"PK\1\2", 0, content.rfind(name.encode()))
    content[record + offset : record + offset + len(value)] = value
    path.write_bytes(content)


@pytest.mark.parametrize("start", ["../", "cats/../../", "/etc/", "C:/", "cats\\..\\..\\", "\\"])
def test_names_that_lead_elsewhere(tmp_path, start) -> None:
    source = write_zip(tmp_path / "source.zip", GOOD)
    with zipfile.ZipFile(source, "a") as opened:
        member = zipfile.ZipInfo("y")
        member.filename = f"{start}evil.jpg"  # past the constructor, which would mend it
        opened.writestr(member, b"x")
    refused(source, "evil.jpg")


def test_symlink(tmp_path) -> None:
    source = write_zip(tmp_path / "source.zip", GOOD)
    with zipfile.ZipFile(source, "a") as opened:
        link = zipfile.ZipInfo("cats/link.jpg")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        opened.writestr(link, "/etc/passwd")
    refused(source, "cats/link.jpg", "link")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_member(tmp_path) -> None:
    source = write_zip(tmp_path / "source.zip", GOOD)
    with zipfile.ZipFile(source, "a") as opened:
        opened.writestr("cats/0.jpg", photo("other"))
    refused(source, "cats/0.jpg", "same name")


def test_encrypted_member(tmp_path) -> None:
    source = write_zip(tmp_path / "source.zip", GOOD)
    for name in GOOD:
        patch_central(source, name, 8, struct.pack("<H", 1))
    refused(source, "8 of 8: 8 encrypted", "first: cats/0.jpg", "source.zip")


def test_windows_explorer_packs_much_with_deflate64(tmp_path) -> None:
    source = write_zip(tmp_path / "source.zip", GOOD)
    for name in GOOD:
        patch_central(source, name, 10, struct.pack("<H", 9))
    refused(source, "8 packed with Deflate64", "name the folder")


def test_bomb_by_ratio(tmp_path) -> None:
    source = write_zip(tmp_path / "source.zip", GOOD)
    with zipfile.ZipFile(source, "a", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("cats/bomb.jpg", bytes(20 * 2**20))
    refused(source, "cats/bomb.jpg", "ratio")


def test_bomb_by_total(tmp_path, monkeypatch) -> None:
    source = write_zip(tmp_path / "source.zip", GOOD)
    monkeypatch.setattr(rules, "MAX_TOTAL_BYTES", 3 * len(GOOD["cats/0.jpg"]))
    refused(source, "cats/3.jpg", "total")


def test_a_member_of_gigabytes(tmp_path) -> None:
    source = write_zip(tmp_path / "source.zip", GOOD)
    patch_central(source, "dogs/1.jpg", 24, struct.pack("<I", 2**31))
    refused(source, "dogs/1.jpg", "2,147,483,648")


def test_a_hundred_thousand_members(tmp_path) -> None:
    source = tmp_path / "source.zip"
    with zipfile.ZipFile(source, "w") as opened:
        for n in range(100_000):
            opened.writestr(zipfile.ZipInfo(f"cats/{n}.jpg"), b"")
    refused(source, "cats/80000.jpg", "80,000")


@pytest.mark.parametrize(("photos", "workers"), [(8, 1), (20, 2)])
def test_a_picture_of_two_and_a_half_gigapixels(tmp_path, photos, workers) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(64)))
    members = class_folders(photos) | {"cats/huge.png": png}
    source = write_zip(tmp_path / "source.zip", members)
    prepare(source, tmp_path / "prepared", data_params(), workers=workers)
    (row,) = read_csv(tmp_path / "prepared/quarantine.csv")
    assert row["path"] == "cats/huge.png"
    assert "too large: 2500000000 pixels, of 64000000" in row["reason"]


def test_missing_and_unreadable(tmp_path) -> None:
    refused(tmp_path / "nowhere.zip", "nowhere.zip", "no such file")
    cut = write_zip(tmp_path / "cut.zip", GOOD)
    cut.write_bytes(cut.read_bytes()[:-100])
    refused(cut, "cut.zip", "not a zip file")


def test_no_class_folders_and_only_one_class(tmp_path) -> None:
    refused(
        write_zip(tmp_path / "a.zip", {"birds/1.jpg": photo(1)}),
        "1 photo (1 .jpg), none of which fits: 1 in birds",
    )
    refused(write_zip(tmp_path / "b.zip", {"cats/1.jpg": photo(1)}), "no dog among 1 photo")


@pytest.mark.parametrize(
    ("members", "layout", "splits"),
    [
        (split_folders(train=1, validation=1, test=1), 0, {"train", "validation", "test"}),
        (class_folders(2, "PetImages/{label}/{n}.jpg"), 1, {None}),
        (class_folders(2, "{label}/{n}.PNG"), 1, {None}),
        (class_folders(2, "{label}.{n}.jpg"), 2, {None}),
        (class_folders(2, "train/{label}.{n}.jpg"), 2, {"train"}),
        (class_folders(2, "outer/val/{label}s/{n}.jpeg"), 0, {"validation"}),
    ],
)
def test_layouts(members, layout, splits) -> None:
    strays = (
        "vectorize.py",
        "__MACOSX/cats/._1.jpg",
        "masks/cats/1.gif",
        "cats/Thumbs.db",
        "cats/",
    )
    found = arrange([*members, *strays], Path("source.zip"))
    assert found.layout == LAYOUTS[layout]
    assert sorted(found.photos) == sorted(members)
    assert {place.split for place in found.photos.values()} == splits
    assert sorted(found.ignored) == sorted(strays)
    labels = {name: place.label for name, place in found.photos.items()}
    assert all(label in name.lower() for name, label in labels.items())


def test_split_folders_win_over_photos_beside_them() -> None:
    names = ["cats/1.jpg", *split_folders(train=1)]
    assert arrange(names, Path("x.zip")).ignored == {"cats/1.jpg": "outside the layout"}


def test_good_archive_stays_open(tmp_path) -> None:
    with open_archive(write_zip(tmp_path / "source.zip", GOOD)) as opened:
        assert opened.read("cats/1.jpg") == GOOD["cats/1.jpg"]
