"""Local archives and folders: checked first, then copied whole."""

import hashlib
import zipfile

import pytest
from archives import class_folders, data_params, write_zip

from convlens.data.sources import fetch
from convlens.errors import InputError


def test_zip_is_copied_when_its_digest_is_the_pinned_one(tmp_path) -> None:
    source = write_zip(tmp_path / "pets.zip", class_folders(3))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    out = tmp_path / "raw" / "source.zip"
    assert fetch(data_params(archive=str(source), sha256=digest), out) == digest
    assert out.read_bytes() == source.read_bytes()


def test_what_a_killed_run_left_is_swept(tmp_path) -> None:
    source = write_zip(tmp_path / "pets.zip", class_folders(3))
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / ".source.123456.part.zip").write_bytes(b"half")
    (raw / "source.zip.part").write_bytes(b"a download to continue")
    fetch(data_params(archive=str(source)), raw / "source.zip")
    assert sorted(p.name for p in raw.iterdir() if p.suffix != ".lock") == [
        "source.zip",
        "source.zip.part",
    ]


def test_wrong_digest_is_refused(tmp_path) -> None:
    source = write_zip(tmp_path / "pets.zip", class_folders(3))
    params = data_params(archive=str(source), sha256="0" * 64)
    with pytest.raises(InputError, match=r"(?s)pets\.zip.*data\.sha256.*found: +sha256"):
        fetch(params, tmp_path / "raw" / "source.zip")
    assert all(path.suffix == ".lock" for path in (tmp_path / "raw").iterdir())


def test_folder_becomes_a_zip_of_names_and_contents_only(tmp_path) -> None:
    digests = []
    for place in ("one", "two"):
        folder = tmp_path / place
        members = class_folders(3)
        for name in sorted(members, reverse=place == "two"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(members[name])
        out = tmp_path / f"{place}.zip"
        digests.append(fetch(data_params(archive=str(folder)), out))
    assert digests[0] == digests[1]
    (tmp_path / "two/cats/0.jpg").write_bytes(b"changed")
    assert fetch(data_params(archive=str(tmp_path / "two")), tmp_path / "3.zip") != digests[0]


def test_empty_folder_is_refused(tmp_path) -> None:
    (tmp_path / "pets").mkdir()
    with pytest.raises(InputError, match="none of which fits"):
        fetch(data_params(archive=str(tmp_path / "pets")), tmp_path / "source.zip")
    assert not (tmp_path / "source.zip").exists()


def test_drawings_are_made_here(tmp_path) -> None:
    params = data_params(1, 1, 1, source="drawn", archive=None)
    fetch(params, tmp_path / "source.zip")
    with zipfile.ZipFile(tmp_path / "source.zip") as archive:
        photos = [name for name in archive.namelist() if name.startswith("drawn/")]
    assert len(photos) == 6
