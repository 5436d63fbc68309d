"""DVC sees what happens to the photos of a user, and a recipe any path to them."""

import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML


class Repository:
    """The stage fetch alone, in a folder of its own."""

    def __init__(self, folder, root):
        self.folder = folder
        shutil.copytree(root / "pipeline", folder / "pipeline")
        for name in ("recipes", "src", "tools"):
            (folder / name).symlink_to(root / name)
        for name in ("params.yaml", "data/none"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(root / name, folder / name)
        stage = YAML(typ="safe").load(root / "dvc.yaml")["stages"]["fetch"]
        stage["deps"] = [dep for dep in stage["deps"] if dep.startswith("$")]
        YAML().dump({"stages": {"fetch": stage}}, folder / "dvc.yaml")
        self.run("dvc", "init", "--no-scm")

    def run(self, *command, check=True):
        here = {
            "HOME": str(self.folder.parent),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
        }
        done = subprocess.run(
            command, cwd=self.folder, env=os.environ | here, text=True, capture_output=True,
            check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def recipe(self, archive):
        words = ("photos-small", "--archive", str(archive))
        return self.run("python", "tools/recipe.py", *words)


@pytest.fixture
def repository(tmp_path, root):
    return Repository(tmp_path / "repository", root)


PHOTOS = {f"{label}s/{n}.jpg" for label in ("cat", "dog") for n in range(3)}


def pets_in(folder):
    for name in PHOTOS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def names(repository):
    with zipfile.ZipFile(repository.folder / "data/raw/source.zip") as packed:
        return set(packed.namelist())


def test_photos_that_come_or_go_and_a_zip_replaced_in_place_are_seen(repository, tmp_path):
    place = "it's my $pets (1)"
    pets = pets_in(tmp_path / place)
    repository.recipe(f"~/{place}")
    repository.run("dvc", "repro")
    assert repository.run("dvc", "status", "-q", check=False).returncode == 0
    (pets / "cats/0.jpg").unlink()
    (pets / "cats/new.jpg").write_bytes(b"new")
    assert place in repository.run("dvc", "status").stdout
    repository.run("dvc", "repro")
    assert names(repository) == {"cats/new.jpg", *PHOTOS} - {"cats/0.jpg"}

    packed = tmp_path / "my pets.zip"
    shutil.copy(repository.folder / "data/raw/source.zip", packed)
    repository.recipe(packed)
    repository.run("dvc", "repro")
    with zipfile.ZipFile(packed, "a") as opened:
        opened.writestr("cats/more.jpg", b"more")
    refused = repository.run("dvc", "repro", check=False)
    assert refused.returncode != 0
    assert "it changed since it was pinned" in refused.stderr
    assert f"make photos ARCHIVE='{packed}'" in refused.stderr
    repository.recipe(packed)
    repository.run("dvc", "repro")
    assert "cats/more.jpg" in names(repository)


def test_a_folder_that_dvc_cannot_watch_is_packed(repository, tmp_path):
    pets = pets_in(tmp_path / "pets")
    (pets / "dogs/gone.jpg").symlink_to("/nowhere.jpg")
    assert "data/packed.zip; run this again" in repository.recipe(pets).stderr
    repository.run("python", "pipeline/fetch.py")
    assert names(repository) == {*PHOTOS, "dogs/gone.jpg"}


def test_overrides_and_make_keep_blanks_dollars_and_quotes(tmp_path, root):
    from dvc.utils.hydra import apply_overrides

    from recipe import _quoted, overrides_between

    path = tmp_path / "it's my $1 (cats), dogs"
    params = tmp_path / "params.yaml"
    params.write_text("data: {archive: none, layers: [a, b]}\n")
    after = {"data": {"archive": str(path), "layers": ["c"]}}
    printed = " ".join(map(_quoted, overrides_between(YAML().load(params), after)))
    words = shlex.split(printed)
    assert subprocess.run(["xargs", "-n1"], input=printed, capture_output=True, text=True,
                          check=True).stdout.splitlines() == words  # fmt: skip
    apply_overrides(params, [word for word in words if word != "-S"])
    assert YAML(typ="safe").load(params) == after
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    told = subprocess.run(
        ["make", "photos", f"ARCHIVE={path}"], cwd=root, capture_output=True, text=True,
        check=False, env=clean,
    ).stderr  # fmt: skip
    assert f"recipe: {path}\n" in told
    assert "no such file" in told
