"""Killed, crowded, full, read-only, corrupt: one clear error, nothing lost, a rerun goes on."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from started import MIDWAY, Started

from convlens import reproduce

ANEW = ("dvc", "repro", "--force", "--no-run-cache", "--single-item")


def results(repository):
    return reproduce.outputs(repository.folder / "dvc.lock")


def check_repaired(repository, stage):
    """The next run of the stage must give the bytes that it gave undisturbed."""
    before = results(repository)
    repository.run(*ANEW, stage)  # not from DVC's cache: the stage meets what was left behind
    assert results(repository) == before
    assert repository.run("dvc", "status", stage).stdout.strip().endswith("up to date.")


# Every stage once, and every way of dying with every victim that has it.
@pytest.mark.parametrize(
    ("victim", "end", "stage"),
    [
        ("both", signal.SIGINT, "fetch"),  # Ctrl-C reaches the whole foreground group
        ("stage", signal.SIGTERM, "fetch_weights@vgg16"),
        ("dvc", signal.SIGKILL, "prepare"),
        ("dvc", signal.SIGTERM, "show_views"),
        ("stage", signal.SIGKILL, "extract_features@vgg16"),
        ("stage", signal.SIGKILL, "train@convnet"),
        ("dvc", signal.SIGKILL, "train@vgg16"),
        ("both", signal.SIGINT, "evaluate@convnet"),
        ("dvc", signal.SIGTERM, "explain@convnet"),
        ("both", signal.SIGINT, "report"),
    ],
)
def test_killed(committed, victim, end, stage):
    before = results(committed)
    # sh stays between DVC and the stage and outlives DVC; bash gives its place to the stage
    shell = "/bin/bash" if stage == "train@vgg16" else "/bin/sh"
    started = Started(committed, *ANEW, stage, SHELL=shell)
    started.wait_for_midst_of(stage)
    if victim == "both":
        os.killpg(started.process.pid, end)
    else:
        os.kill(started.process.pid if victim == "dvc" else started.stages()[0], end)
    code, said = started.end()
    assert code != 0
    assert victim != "dvc" or f"{stage}: interrupted" in said
    assert "Traceback" not in said
    assert said.count("ERROR") <= 1
    assert results(committed) == before
    check_repaired(committed, stage)
    assert not list(committed.folder.glob(MIDWAY.get(stage, "reports/**/.*.part*")))


INTERRUPTED = """
import os, signal, sys
sys.path.insert(0, "pipeline")
from stage import run

def main():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt as interrupt:
        raise ImportError("initialization failed") from interrupt

run(main)
"""


def test_an_interrupt_that_a_library_turns_into_its_own_error_is_one(root, tmp_path):
    """As Matplotlib's part in C++ does, when it is just loading."""
    script = tmp_path / "loading.py"
    script.write_text(INTERRUPTED)
    command = [sys.executable, script]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr.strip() == "loading: interrupted; run again to continue"


def test_two_at_once(committed):
    before = results(committed)
    first = Started(committed, *ANEW, "extract_features@vgg16")
    first.wait_for_midst_of("extract_features@vgg16")
    second = committed.run(*ANEW, "extract_features@vgg16", check=False)
    assert second.returncode != 0
    assert second.stderr.count("ERROR") == 1
    assert "Traceback" not in second.stderr
    assert first.end()[0] == 0
    assert results(committed) == before


@pytest.fixture
def disk(committed):
    """Put a small or read-only disk in the place of an empty folder of the repository."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    mounted = []

    def mount(name, options):
        folder = committed.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "none", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this machine lets nobody mount a disk")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)
    committed.run("dvc", "checkout", "--force")


@pytest.mark.parametrize(
    ("stage", "folder", "options", "found"),
    [
        ("fetch", "data/raw", "size=64k", "No space left on device"),
        ("fetch", "data/raw", "ro", "Read-only file system"),
        ("evaluate", "reports/convnet/evaluation", "ro", "Read-only file system"),
        ("train", ".convlens/checkpoints", "size=64k", "No space left on device"),
        ("train", "models/convnet", "size=64k", "No space left on device"),
    ],
)
def test_full_or_read_only_disk(committed, disk, stage, folder, options, found):
    disk(folder, options)
    words = ["convnet"] if stage in ("evaluate", "train") else []
    done = committed.run("python", f"pipeline/{stage}.py", *words, check=False)
    assert done.returncode == 2
    assert done.stderr.count("expected:") == 1
    assert found in done.stderr
    assert "Traceback" not in done.stderr
    assert not [
        path
        for path in (committed.folder / folder).rglob("*")
        if path.is_file() and path.stat().st_size
    ]


@pytest.mark.parametrize(
    ("words", "file", "owner"),
    [
        ("prepare", "data/raw/source.zip", "fetch"),
        ("train vgg16", "data/features/vgg16/train.npy", "extract_features@vgg16"),
        ("evaluate convnet", "models/convnet/model.keras", "train@convnet"),
    ],
)
def test_a_damaged_result_is_refused_then_restored(committed, words, file, owner):
    path = committed.folder / file
    good = path.read_bytes()
    path.unlink()  # else the cache, where it is the same file, would be damaged with it
    path.write_bytes(good[: len(good) // 2])
    stage, *arguments = words.split()
    refused = committed.run("python", f"pipeline/{stage}.py", *arguments, check=False)
    assert refused.returncode == 2
    assert refused.stderr.count("expected:") == 1
    assert "Traceback" not in refused.stderr
    committed.run("dvc", "repro", "--single-item", owner)
    assert path.read_bytes() == good


def test_damage_that_reached_the_cache_is_named_by_the_doctor_and_mended(committed):
    path = committed.folder / "data/raw/source.zip"
    good, before = path.read_bytes(), results(committed)
    md5 = before["fetch"]["data/raw/source.zip"]
    cached = committed.folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    cached.chmod(0o644)
    cached.write_bytes(good[:1000])
    cached.chmod(0o444)  # DVC believes what is read-only
    said = committed.run("python", "-m", "convlens.cli", "doctor", check=False).stdout
    assert f"problem: {cached}" in said
    cached.unlink()
    path.unlink(missing_ok=True)
    committed.run("dvc", "repro", "--single-item", "fetch")
    assert path.read_bytes() == good
    assert results(committed) == before


def test_a_damaged_lock_file_is_one_error_and_made_again_from_the_cache(committed):
    path = committed.folder / "dvc.lock"
    before = results(committed)
    path.write_text(path.read_text() + "{{{")
    refused = committed.run("dvc", "repro", check=False)
    assert refused.returncode != 0
    assert "dvc.lock' is invalid" in refused.stderr
    assert "Traceback" not in refused.stderr
    path.unlink()
    said = committed.run("dvc", "repro", "--single-item", "fetch").stdout
    assert "is cached - skipping run" in said
    assert results(committed) == {"fetch": before["fetch"]}
    committed.run("git", "checkout", "dvc.lock")
