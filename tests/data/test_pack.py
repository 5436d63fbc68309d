"""Tar archives are read as safely as zips."""

import io
import tarfile

import pytest
from archives import class_folders, data_params, photo

from convlens.data import pack
from convlens.data.inspect import inspect
from convlens.data.sources import fetch
from convlens.errors import InputError
from convlens.files import sha256

GOOD = class_folders(4)
KINDS = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "fifo": tarfile.FIFOTYPE}


def write_tar(path, members, mode="w:gz", **kinds):
    with tarfile.open(path, mode) as made:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
        for kind, name in kinds.items():
            member = tarfile.TarInfo(name)
            member.type = KINDS[kind]
            member.linkname = "cats/0.jpg"
            made.addfile(member)
    return path


@pytest.mark.parametrize("kind", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_every_compression_is_read(tmp_path, kind):
    source = write_tar(
        tmp_path / "pets.any", {f"./x/{n}": c for n, c in GOOD.items()} | {"a.txt": b"a"}, kind
    )
    found = inspect(source, workers=1)
    assert found.counts == {"(no split)": {"cat": 4, "dog": 4}}
    assert found.other_files == {".txt": 1}
    assert found.sha256 == sha256(source)
    fetch(data_params(archive=str(source), sha256=sha256(source)), tmp_path / "out.zip")
    assert inspect(tmp_path / "out.zip", workers=1).counts == found.counts


@pytest.mark.parametrize("name", ["../x.jpg", "cats/../../x.jpg", "/etc/x.jpg"])
def test_names_that_lead_elsewhere(tmp_path, name):
    source = write_tar(tmp_path / "a.tar", GOOD | {name: photo("x")}, "w:")
    with pytest.raises(InputError, match=r"leads out|absolute"):
        fetch(data_params(archive=str(source)), tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize("kind", ["link", "hard", "fifo"])
def test_links_and_devices(tmp_path, kind):
    source = write_tar(tmp_path / "a.tar", GOOD, "w:", **{kind: "cats/z.jpg"})
    with pytest.raises(InputError, match=r"(?s)cats/z\.jpg.*a link or a special file"):
        inspect(source)


def test_duplicate_members(tmp_path):
    source = tmp_path / "a.tar"
    write_tar(source, GOOD, "w:")
    write_tar(source, {"cats/0.jpg": photo("z")}, "a:")
    with pytest.raises(InputError, match="same name"):
        inspect(source)


def test_bombs(tmp_path):
    source = write_tar(tmp_path / "a.tgz", GOOD | {"zeros.bin": bytes(2**25)})
    with pytest.raises(InputError, match="bombs"):
        inspect(source)
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 2**32
    (tmp_path / "b.tar").write_bytes(header.tobuf() + bytes(10**4))
    with pytest.raises(InputError, match="4,294,967,296"):
        inspect(tmp_path / "b.tar")


def test_a_cut_archive_is_one_error(tmp_path):
    source = write_tar(tmp_path / "a.tgz", GOOD)
    source.write_bytes(source.read_bytes()[:-900])
    with pytest.raises(InputError, match="readable tar archive"):
        inspect(source)
    assert not pack.is_tar(tmp_path / "nowhere")
