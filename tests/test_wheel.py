"""The built wheel, outside the repository and without what only the pipeline needs."""

import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from PIL import Image

from colours import NAMES, net, square
from convlens.errors import EXTRA

# Forbids whatever comes with the extra, as if it weren't installed.
BLOCK = f"import sys; sys.modules.update(dict.fromkeys({EXTRA!r}))\n"
THREE_LINES = """
from convlens import Classifier, explain
found = explain(Classifier.load("my.keras", classes="labels.txt"), "photo.png")
found.save("seen")
import convlens; print(convlens.__file__)
"""


@pytest.fixture(scope="module")
def away(tmp_path_factory, pytestconfig):
    """An environment that has the wheel and its dependencies, and a folder to work in."""
    folder = tmp_path_factory.mktemp("away")
    source = folder / "source"
    shutil.copytree(pytestconfig.rootpath / "src", source / "src")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(pytestconfig.rootpath / name, source)
    build = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (wheel,) = source.glob("*.whl")
    venv.create(folder / "env")
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (packages / "sitecustomize.py").write_text(BLOCK)
    work = folder / "work"
    work.mkdir()
    net().save(work / "my.keras")
    (work / "labels.txt").write_text("\n".join(NAMES))
    Image.fromarray(square("red", 4, 20)).save(work / "photo.png")
    return folder


def run(away, *words):
    command = [str(away / "env/bin/python"), *words]
    return subprocess.run(
        command, cwd=away / "work", capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "TF_CPP_MIN_LOG_LEVEL": "3", "HOME": str(away)},
    )  # fmt: skip


def test_three_lines_give_the_page(away):
    done = run(away, "-c", THREE_LINES)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(away)
    assert (away / "work/seen/photo/summary.png").is_file()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["explain", "photo.png", "--model", "my.keras", "--classes", "labels.txt"], 0, "says red"),
        (["sync"], 2, "pip install 'convlens[pipeline]'"),
        (["inspect", "my.zip"], 2, "pip install 'convlens[pipeline]'"),
    ],
)
def test_the_command_works_or_names_the_extra(away, words, code, said):
    done = run(away, "-m", "convlens.cli", *words)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_extra_is_what_the_messages_say(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    names = {
        re.split(r"[<>=\[ ]", line)[0] for line in project["optional-dependencies"]["pipeline"]
    }
    owners = packages_distributions()
    found = {module: {dist.lower() for dist in owners[module]} & names for module in EXTRA}
    assert all(found.values()), found
    assert set().union(*found.values()) == names
    assert not [line for line in project["dependencies"] if "==" in line]


def test_importing_it_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys; from convlens import explain; "
        "print(sorted({'tensorflow', 'keras', 'numpy', 'matplotlib', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
