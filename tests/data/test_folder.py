"""Folders as they lie on disks: links, loops, odd names, what can't be read, our own pictures."""

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from archives import class_folders, data_params, photo, write_files
from click.testing import CliRunner

from convlens.cli import main
from convlens.data.folder import listing
from convlens.data.inspect import inspect
from convlens.data.sources import fetch
from convlens.errors import InputError
from convlens.evaluation import photos


@pytest.fixture
def pets(tmp_path):
    return write_files(tmp_path / "pets", class_folders(4))


def counts(folder):
    return inspect(folder, workers=1).counts


def as_nobody(work):
    """Run `work` in a child process that is not root; return what it printed and its exit code."""
    with public_folder() as folder:  # every module is loaded while this user may still read it
        CliRunner().invoke(main, ["inspect", str(write_files(folder, class_folders(1)))])
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(write, 1)
        os.dup2(write, 2)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        try:
            code = work()
        except BaseException as error:
            os.write(2, f"Traceback: {error!r}".encode())
            code = 99
        os._exit(code)
    os.close(write)
    with os.fdopen(read, "rb") as said:
        text = said.read().decode()
    return text, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def public_folder():
    """A temporary folder that any user can enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def command(*words):
    def work():
        result = CliRunner().invoke(main, [*map(str, words)])
        os.write(1, (result.stdout + result.stderr).encode())
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code

    return work


def test_links_to_files_and_folders_are_followed(tmp_path, pets):
    write_files(tmp_path / "more", class_folders(3, "{label}s/m{n}.jpg"))
    (pets / "cats/more").symlink_to(tmp_path / "more/cats")
    (pets / "dogs/link.jpg").symlink_to(tmp_path / "more/dogs/m0.jpg")
    assert counts(pets) == {"(no split)": {"cat": 7, "dog": 5}}
    linked = tmp_path / "linked"
    linked.mkdir()
    for name, target in (("train", pets), ("valid", tmp_path / "more")):
        (linked / name).symlink_to(target)
    assert counts(linked) == {
        "train": {"cat": 7, "dog": 5},
        "validation": {"cat": 3, "dog": 3},
    }
    assert fetch(data_params(archive=str(linked)), tmp_path / "out.zip")


def test_loops_end_and_broken_links_are_counted(pets, tmp_path):
    (pets / "cats/up").symlink_to(pets)
    (pets / "cats/self").symlink_to("self")
    (pets / "dogs/gone.jpg").symlink_to("/nowhere/gone.jpg")
    found = inspect(pets, workers=1)
    assert found.counts == {"(no split)": {"cat": 4, "dog": 4}}
    (bad,) = found.quarantine
    assert bad["path"] == "dogs/gone.jpg"
    assert "broken link" in bad["reason"]
    assert listing(pets).loops == ["cats/up/"]
    fetch(data_params(archive=str(pets)), tmp_path / "out.zip")


def test_a_pipe_does_not_keep_us_waiting(pets):
    os.mkfifo(pets / "cats/pipe.jpg")
    assert inspect(pets, workers=1).quarantine == [
        {"path": "cats/pipe.jpg", "reason": "not a file"}
    ]
    assert photos.read(pets / "cats/pipe.jpg", 32, 32) == "not a file"


def test_names_that_are_no_text_get_a_stand_in(pets, tmp_path):
    latin = os.fsencode(pets) + b"/cats/K\xe4tz\n.jpg"
    Path(os.fsdecode(latin)).write_bytes(photo("k"))
    (pets / "dogs/back\\slash.jpg").write_bytes(photo("b"))
    assert {"cats/K%E4tz%0A.jpg", "dogs/back%5Cslash.jpg"} <= set(listing(pets).files)
    assert counts(pets) == {"(no split)": {"cat": 5, "dog": 5}}
    fetch(data_params(archive=str(pets)), tmp_path / "out.zip")
    assert counts(tmp_path / "out.zip") == counts(pets)


def test_predict_sees_what_inspect_sees_and_says_what_it_leaves_out(pets):
    write_files(pets, {
        "cats/.ipynb_checkpoints/0.jpg": b"", "dogs/._1.jpg": b"", "a.jfif": photo("a"),
        "notes.txt": b"", "IMG_1.HEIC": b"", "IMG_2.HEIC": b"", "old/x/vgg16/summary.png": b"",
        "old/x/vgg16/heatmap.png": b"", "old/x/vgg16/activations.png": b"", "old/x/both.png": b"",
        "old/x/vgg16/channels/1.png": b"",
    })  # fmt: skip
    found = photos.find([pets])
    names = [path.relative_to(pets).as_posix() for path in found.paths]
    assert names == ["a.jfif", *sorted(class_folders(4))]
    assert found.notes == [
        "1 folder of ConvLens' own pictures skipped",
        "3 files left out: 2 .heic, 1 .txt (to read them: pip install pillow-heif)",
    ]
    assert photos.find([pets / "notes.txt"]).paths == [pets / "notes.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="sparse files")
def test_a_film_is_not_read_whole(pets, monkeypatch):
    film = pets / "film.jpg"
    with film.open("wb") as out:
        out.write(b"\0\0\0\x20ftypisom")
        out.truncate(2**31)
    assert photos.read(film, 32, 32) == "not an image"
    with film.open("r+b") as out:
        out.write(b"\xff\xd8\xff\xe0")
    assert photos.read(film, 32, 32).startswith("too large: 2,147,483,648 bytes")
    monkeypatch.setattr("convlens.data.reading.MAX_MEMBER_BYTES", 100)
    assert photos.read(pets / "cats/0.jpg", 32, 32).startswith("too large")


def test_what_a_user_may_not_read_is_named():
    with public_folder() as folder:
        pets = write_files(folder / "pets", class_folders(3))
        (pets / "cats/0.jpg").chmod(0)
        (pets / "dogs/closed").mkdir(mode=0)
        said, code = as_nobody(command("inspect", pets))
        assert code == 0, said
        assert "cats/0.jpg: can't be read: Permission denied" in said
        assert "warning:  1 folder can't be read: dogs/closed/" in said
        pets.chmod(0)
        said, code = as_nobody(command("inspect", pets))
        assert code == 2
        assert "is not readable" in said
        pets.chmod(0o755)

        def bring():
            try:
                fetch(data_params(archive=str(pets)), Path(tempfile.mkdtemp()) / "out.zip")
            except InputError as error:
                os.write(1, str(error).encode())
                return 2
            return 0

        said, code = as_nobody(bring)
        assert code == 2
        assert f"{pets}/cats/0.jpg" in said
        assert "Permission denied" in said


def test_a_folder_that_may_not_be_written_to_is_inspected_and_left_alone():
    with public_folder() as folder:
        pets = write_files(folder / "pets", class_folders(2))
        for path in (pets / "cats", pets / "dogs", pets):
            path.chmod(0o555)
        said, code = as_nobody(command("inspect", pets))
        assert code == 0, said
        assert "4 usable photos" in said
