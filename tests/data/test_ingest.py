"""Prepare as a whole: the traps, the accounting, the same bytes whatever happens."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from archives import class_folders, data_params, photo, picture, split_folders, traps, write_zip

from convlens.data.ingest import prepare
from convlens.errors import InputError

MAIN = """
import sys
from pathlib import Path
from archives import data_params
from convlens.data.ingest import prepare
if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]), data_params(), workers=2)
"""


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as source:
        return list(csv.DictReader(source))


def content(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def trapped(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("traps")
    write_zip(folder / "source.zip", traps())
    prepare(folder / "source.zip", folder / "out", data_params(), workers=1)
    return folder / "out"


def test_traps_end_where_they_belong(trapped) -> None:
    bad = {row["path"].split("/", 1)[1]: row["reason"] for row in table(trapped / "quarantine.csv")}
    assert bad == {
        "Cat/empty.jpg": "empty",
        "Dog/cut.jpg": "truncated",
        "Dog/page.jpg": "not an image",
        "Cat/both.jpg": "conflicting labels",
        "Dog/both.jpg": "conflicting labels",
    }
    kept = {row["path"].split("/", 1)[1]: row for row in table(trapped / "manifest.csv")}
    assert (kept["Cat/gif.jpg"]["format"], kept["Cat/gif.jpg"]["mode"]) == ("GIF", "P")
    assert (kept["Dog/png.jpg"]["format"], kept["Dog/png.jpg"]["mode"]) == ("PNG", "RGBA")
    assert kept["Dog/bmp.jpg"]["format"] == "BMP"
    assert kept["Cat/cmyk.jpg"]["mode"] == "CMYK"
    assert kept["Dog/grey.jpg"]["mode"] == "L"
    assert len({"cat/3.jpg", "Cat/copy.jpg"} & set(kept)) == 1
    again = [kept[name]["group"] for name in ("dog/5.jpg", "Dog/again.jpg") if name in kept]
    assert len(again) == 1 or again[0] == again[1]


def test_rows_of_arrays_are_rows_of_the_manifest(trapped) -> None:
    manifest = table(trapped / "manifest.csv")
    for split in ("train", "validation", "test"):
        images = np.load(trapped / f"{split}.npy", mmap_mode="r")
        labels = np.load(trapped / f"{split}_labels.npy")
        rows = [row for row in manifest if row["split"] == split]
        assert images.shape == (len(rows), 32, 32, 3)
        assert images.dtype == labels.dtype == np.uint8
        assert [row["label"] for row in rows] == [("cat", "dog")[label] for label in labels]
        for row, image in zip(rows, images, strict=True):
            key = {"turned.jpg": "upright", "bmp.jpg": "bmp"}.get(row["path"].split("/")[-1])
            if key:
                upright = np.asarray(picture(key).resize((32, 32)), int)
                assert np.abs(image - upright).mean() < 8


def test_accounting_adds_up_to_the_archives_entries(trapped) -> None:
    data = json.loads((trapped / "data.json").read_text())
    with zipfile.ZipFile(trapped.parent / "source.zip") as archive:
        assert data["accounting"]["entries"] == len(archive.namelist())
    for place in ("manifest", "quarantine", "duplicates"):
        assert data["accounting"][place] == len(table(trapped / f"{place}.csv"))
    assert data["accounting"]["ignored"] == sum(data["ignored"].values())


def test_examples_are_originals_of_the_test_split(trapped) -> None:
    tested = {row["path"] for row in table(trapped / "manifest.csv") if row["split"] == "test"}
    rows = table(trapped / "examples" / "index.csv")
    assert [row["label"] for row in rows] == ["cat", "cat", "dog", "dog"]
    with zipfile.ZipFile(trapped.parent / "source.zip") as archive:
        for row in rows:
            assert row["path"] in tested
            assert (trapped / "examples" / row["file"]).read_bytes() == archive.read(row["path"])


def test_same_bytes_with_any_number_of_workers_and_over_an_older_result(trapped) -> None:
    out = trapped.parent / "parallel"
    out.mkdir()
    (out / "old.npy").write_bytes(b"from an earlier run")
    prepare(trapped.parent / "source.zip", out, data_params(), workers=3)
    assert content(out) == content(trapped)


def test_google_s_archive_gets_a_test_split_out_of_validation(tmp_path) -> None:
    source = write_zip(tmp_path / "source.zip", split_folders(train=6, validation=16))
    prepare(source, tmp_path / "out", data_params(), workers=1)
    rows = table(tmp_path / "out" / "manifest.csv")
    origin = {(row["split"], row["path"].split("/")[1]) for row in rows}
    assert origin == {("train", "train"), ("validation", "validation"), ("test", "validation")}
    data = json.loads((tmp_path / "out" / "data.json").read_text())
    assert "test carved out of validation" in data["split_rule"]


def test_leak_between_the_archives_own_splits_is_closed(tmp_path) -> None:
    members = split_folders(train=3, validation=3, test=3)
    members["pets/train/cats/leak.jpg"] = members["pets/test/cats/1.jpg"]
    members["pets/train/dogs/leak.jpg"] = photo(("validation", "dog", 2), quality=35)
    prepare(write_zip(tmp_path / "s.zip", members), tmp_path / "out", data_params(), workers=1)
    dropped = {row["path"]: row["kept"] for row in table(tmp_path / "out" / "duplicates.csv")}
    assert dropped == {
        "pets/train/cats/leak.jpg": "pets/test/cats/1.jpg",
        "pets/train/dogs/leak.jpg": "pets/validation/dogs/2.jpg",
    }


def test_too_many_bad_photos_stop_the_stage(tmp_path) -> None:
    members = class_folders(10) | {f"cats/bad{n}.jpg": b"" for n in range(3)}
    source = write_zip(tmp_path / "source.zip", members)
    params = data_params(max_bad_fraction=0.1)
    with pytest.raises(InputError, match=r"(?s)10\.0%.*3 of 23: 3 empty; first: cats/bad0\.jpg"):
        prepare(source, tmp_path / "out", params, workers=1)
    assert not (tmp_path / "out").exists()


def test_full_disk_is_told_before_any_work(tmp_path, monkeypatch) -> None:
    source = write_zip(tmp_path / "source.zip", class_folders(10))
    usage = namedtuple("usage", "total used free")(0, 0, 2 * 20 * 32 * 32 * 3 - 1)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(InputError, match=r"(?s)122,880 bytes.*122,879"):
        prepare(source, tmp_path / "out", data_params(), workers=1)


def test_too_few_photos_for_the_counts(tmp_path) -> None:
    source = write_zip(tmp_path / "source.zip", split_folders(train=3, validation=3, test=3))
    with pytest.raises(InputError, match=r"(?s)data\.split\.test.*at least 4 .*cat.*found: +3"):
        prepare(source, tmp_path / "out", data_params(3, 3, 4), workers=1)


def test_bytes_damaged_inside_the_archive(tmp_path) -> None:
    members = class_folders(10)
    source = write_zip(tmp_path / "source.zip", members)
    stored = bytearray(source.read_bytes())
    stored[stored.find(members["cats/4.jpg"]) + 300] ^= 255
    source.write_bytes(stored)
    prepare(source, tmp_path / "out", data_params(), workers=1)
    bad = [(row["path"], row["reason"]) for row in table(tmp_path / "out" / "quarantine.csv")]
    assert bad == [("cats/4.jpg", "damaged in the archive")]


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_at_any_point_a_rerun_gives_the_same_bytes(tmp_path, sent) -> None:
    source = write_zip(tmp_path / "source.zip", split_folders(train=60, validation=20, test=20))
    script = tmp_path / "main.py"
    script.write_text(MAIN)
    out = tmp_path / "data" / "prepared"
    path = (str(Path(__file__).parent), os.environ.get("PYTHONPATH", ""))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path)}
    process = subprocess.Popen(
        [sys.executable, str(script), str(source), str(out)],
        env=environment, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not has_pixels(out.parent) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(sent)
    assert process.wait(60) != 0
    assert not out.exists()
    prepare(source, out, data_params(), workers=1)
    prepare(source, tmp_path / "undisturbed", data_params(), workers=1)
    assert content(out) == content(tmp_path / "undisturbed")
    assert sorted(p.name for p in out.parent.iterdir()) == [".prepared.lock", "prepared"]
    assert not still_running(process.pid), "the workers must end with their parent"


@pytest.mark.parametrize("point", ["write_csv", "write_json"])
def test_interrupted_while_writing_the_older_result_stands(tmp_path, monkeypatch, point) -> None:
    source = write_zip(tmp_path / "source.zip", class_folders(10))
    out = tmp_path / "out"
    prepare(source, out, data_params(), workers=1)
    before = content(out)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"convlens.files.{point}", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare(source, out, data_params(), workers=1)
    assert content(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.lock", "out", "source.zip"]


def has_pixels(folder: Path) -> bool:
    """Whether the workers have begun to fill the scratch file, which starts as a hole."""
    return any(path.stat().st_blocks for path in folder.glob(".prepared.*.part/scratch"))


def still_running(session: int) -> list[str]:
    """Processes of the session that live on; dead ones that nobody has reaped don't count."""

    def alive(pid: str) -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            return os.getsid(int(pid)) == session and state not in "ZX"
        except OSError:
            return False

    found = [pid for pid in os.listdir("/proc") if pid.isdigit() and alive(pid)]  # noqa: PTH208
    for _ in range(100):
        if not found:
            break
        time.sleep(0.1)
        found = [pid for pid in found if alive(pid)]
    return found
