"""Nothing half-written ever stands under a final name."""

import signal
import subprocess
import sys

import pytest

from convlens import files
from convlens.errors import InputError


def test_a_failed_write_leaves_the_old_file_and_no_stray(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def fail():
        with files.atomic(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_replaces_a_folder(tmp_path):
    path = tmp_path / "out"
    for content in ("one", "two"):
        with files.atomic(path) as partial:
            partial.mkdir()
            (partial / content).touch()
    assert [p.name for p in path.iterdir()] == ["two"]


def test_sigkill_while_writing_leaves_nothing_under_the_final_name(tmp_path):
    path = tmp_path / "big.bin"
    code = (
        "import sys, time; from pathlib import Path; from convlens import files\n"
        "with files.atomic(Path(sys.argv[1])) as partial:\n"
        "    partial.write_bytes(b'x'); print('half', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    assert not path.exists()


def test_json_refuses_numbers_that_json_does_not_know(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("read", "content", "found"),
    [
        (files.read_json, b'{"a": ', "damaged"),
        (files.read_json, b"<" * 7 + b" HEAD\n1\n", "git's marks of a conflict"),
        (files.read_json, b"\xff\xfe", "damaged"),
        (files.read_csv, b"a,b\n1\n", "fewer cells"),
        (files.read_csv, b"a,b\n" + b">" * 7 + b" theirs\n", "git's marks of a conflict"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, read, content, found):
    path = tmp_path / "metrics.of"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.where == str(path)
    assert found in str(caught.value)
