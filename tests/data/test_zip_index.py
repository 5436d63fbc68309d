"""The table of a zip: as zipfile reads it where that can, and what it can't."""

import io
import struct
import zipfile
import zlib

import pytest
from archives import class_folders, data_params, photo, write_zip

from convlens.data import zip_index
from convlens.data.archive import open_archive
from convlens.data.inspect import inspect
from convlens.data.sources import fetch
from convlens.data.zip_index import BadZipError
from convlens.errors import InputError

GOOD = class_folders(4)


def raw_zip(path, members, method=0, flags=0):
    """A zip whose names are the bytes given."""
    body, table = b"", b""
    for name, content in members.items():
        fields = struct.pack("<3H", 20, flags, method) + struct.pack("<2H", 0, 33)
        fields += struct.pack(
            "<3I2H", zlib.crc32(content), len(content), len(content), len(name), 0
        )
        table += b"PK\1\2" + struct.pack("<H", 20) + fields
        table += struct.pack("<3H2I", 0, 0, 0, 0, len(body)) + name
        body += b"PK\3\4" + fields + name + content
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, *[len(members)] * 2, len(table), len(body), 0)
    path.write_bytes(body + table + end)
    return path


@pytest.mark.parametrize("kind", ["plain", "deflated", "zip64", "streamed", "prefixed", "comment"])
def test_it_agrees_with_zipfile(kind):
    out = io.BytesIO()
    out.write(b"#!/bin/sh\n" * (kind == "prefixed"))
    if kind == "streamed":
        out.seekable = lambda: False
    method = zipfile.ZIP_STORED if kind == "plain" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "a" if kind == "prefixed" else "w", method) as made:
        for name, content in (GOOD | {"empty/": b"", "ä/猫.jpg": b"x" * 999}).items():
            with made.open(name, "w", force_zip64=kind == "zip64") as member:
                member.write(content)
        made.comment = b"by nobody" if kind == "comment" else b""
    found = list(zip_index.members(out))
    with zipfile.ZipFile(out) as known:
        assert [m.name for m in found] == known.namelist()
        for member, info in zip(found, known.infolist(), strict=True):
            assert (member.size, member.packed, member.crc, member.method) == (
                info.file_size, info.compress_size, info.CRC, info.compress_type
            )  # fmt: skip
            assert member.mode == info.external_attr >> 16
            assert zip_index.read(out, member) == known.read(info)


def test_zip64_s_own_end_is_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("cats/1.jpg", b"cat")
    plain = out.getvalue()
    at = plain.rindex(b"PK\5\6")
    size, offset = struct.unpack_from("<2I", plain, at + 12)
    wide = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, offset)
    wide += struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    source = io.BytesIO(plain[:at] + wide + end)
    (member,) = zip_index.members(source)
    assert zip_index.read(source, member) == b"cat"


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_cut_zip_is_refused(tmp_path, cut):
    whole = write_zip(tmp_path / "a.zip", GOOD).read_bytes()
    with pytest.raises(BadZipError):
        list(zip_index.members(io.BytesIO(whole[:-cut])))


def test_folders_by_backslash_and_letters_that_end_in_one(tmp_path):
    """PowerShell 5 writes backslashes; Shift-JIS, GBK and Big5 have letters with that byte."""
    members = {name.replace("/", "\\").encode(): content for name, content in GOOD.items()}
    letters = {
        "cats/ソファの猫.jpg": "cp932", "cats/誠.jpg": "gbk", "dogs/功.jpg": "big5",
        "dogs/ねこ.jpg": "cp932",
    }  # fmt: skip
    for name, encoding in letters.items():
        members[name.encode(encoding)] = photo(name)
    backslashed = "cats\\ソ.jpg".encode("cp932")
    members[backslashed] = photo("both")
    with open_archive(raw_zip(tmp_path / "a.zip", members)) as opened:
        names = opened.namelist()
        assert set(GOOD) <= set(names)
        assert {"cats/ソファの猫.jpg", "dogs/功.jpg", "cats/ソ.jpg"} <= set(names)
        assert all(len(name.split("/")) == 2 for name in names)
        assert [opened.read(name) for name in names] == list(members.values())


@pytest.mark.parametrize("name", [b"cats\\..\\..\\x.jpg", b"\\\\server\\x.jpg", b"C:\\x.jpg"])
def test_backslashes_lead_nowhere(tmp_path, name):
    with pytest.raises(InputError, match=r"leads out|absolute"):
        open_archive(raw_zip(tmp_path / "a.zip", {name: b"x"}))


def test_a_name_that_claims_to_be_utf_8_is_quarantined_alone(tmp_path):
    members = {name.encode(): content for name, content in GOOD.items()}
    source = raw_zip(tmp_path / "a.zip", members | {b"cats/K\xe4tz\n.jpg": photo("k")}, flags=0x800)
    found = inspect(source, workers=1)
    assert found.counts == {"(no split)": {"cat": 4, "dog": 4}}
    (bad,) = found.quarantine
    assert bad["path"] == "cats/K%E4tz%0A.jpg"
    assert "UTF-8" in bad["reason"]
    fetch(data_params(archive=str(source)), tmp_path / "out.zip")


def test_what_a_local_header_calls_itself_does_not_matter(tmp_path):
    source = write_zip(tmp_path / "a.zip", GOOD)
    content = source.read_bytes()
    source.write_bytes(content.replace(b"dogs/2.jpg", b"dogs/\xff.jpg", 1))
    with open_archive(source) as opened:
        assert opened.read("dogs/2.jpg") == GOOD["dogs/2.jpg"]


def test_members_that_overlap_are_a_bomb(tmp_path):
    source = write_zip(tmp_path / "a.zip", GOOD)
    content = bytearray(source.read_bytes())
    first, second = (m.start for m in list(zip_index.members(io.BytesIO(content)))[:2])
    record = content.rfind(b"PK\1\2", 0, content.rfind(b"cats/1.jpg"))
    content[record + 42 : record + 46] = struct.pack("<I", first + 40)
    source.write_bytes(content)
    assert second > first + 40
    with pytest.raises(InputError, match="inside another"):
        open_archive(source)


def test_only_photos_are_judged_the_rest_is_counted(tmp_path):
    odd = {"Icon\r": b"", "film.mp4": bytes(70 * 2**20), "cats/notes.txt": b"a" * 10**7}
    source = tmp_path / "a.zip"
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in (GOOD | odd).items():
            made.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    found = inspect(source, workers=1)
    assert (found.entries, found.quarantine) == (11, [])
    assert found.other_files == {".mp4": 1, ".txt": 1, "without suffix": 1}
    fetch(data_params(archive=str(source)), tmp_path / "out.zip")


def test_a_photo_of_too_many_bytes_is_quarantined_by_both_stages_alike(tmp_path, monkeypatch):
    monkeypatch.setattr("convlens.data.archive.MAX_MEMBER_BYTES", 10_000)
    members = class_folders(20) | {"cats/large.jpg": bytes(20_000)}
    source = write_zip(tmp_path / "a.zip", members)
    fetch(data_params(archive=str(source)), tmp_path / "out.zip")
    (bad,) = inspect(tmp_path / "out.zip", workers=1).quarantine
    assert bad["reason"] == "too large: 20,000 bytes; at most 10,000"


@pytest.mark.parametrize(("head", "kind"), [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a", "RAR")])
def test_other_archives_are_called_by_their_name(tmp_path, head, kind):
    (tmp_path / "a.zip").write_bytes(head + bytes(500))
    with pytest.raises(InputError, match=f"(?s)a {kind} archive.*unpack"):
        open_archive(tmp_path / "a.zip")
