"""A temporary repository with the real pipeline and small parameters, really run by DVC."""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "data": {"image_size": 48, "split": {"train": 40, "validation": 16, "test": 16}, "examples": 1},
    "convnet": {"epochs": 2, "warmup_epochs": 0.5},
    "features": {"views": 1},
    "vgg16": {"epochs": 2, "units": 8},
    "explain": {
        "filters": {
            "layers": {"convnet": ["conv1"], "vgg16": []},
            "count": 2,
            "steps": 2,
            "size": 32,
        },
        "faithfulness_images": 4,
        "faithfulness_steps": 2,
    },
}


class Repository:
    """A repository in a folder of its own, with a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # compiled once and not in every process, whatever the caller wants for its own
        other = ("MLFLOW", "DVC", "PYTHONDONTWRITEBYTECODE")
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith(other)
        } | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "src"),
            "RAY_worker_niceness": "0",  # 15 by default: starved beside other tests
        }

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository."""
        result = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            text=True,
            capture_output=True,
            check=False,
        )
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result

    def change(self, changes: dict) -> None:
        """Change some parameters."""
        yaml = YAML()
        path = self.folder / "params.yaml"
        tree = yaml.load(path)
        _merge(tree, changes)
        yaml.dump(tree, path)


def _merge(tree: dict, changes: dict) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and key != "layers":
            if key not in tree:  # a net's section
                tree[key] = copy.deepcopy(tree["vgg16"])
            _merge(tree[key], value)
        else:
            tree[key] = value


def copy_repository(folder: Path) -> Repository:
    """Copy what git tracks or would track, as it stands in the working tree, and commit it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, listed):
        if name.startswith(("models/", "reports/", "docs/")) or name == "dvc.lock":
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, folder / name)
    repository = Repository(folder)
    weights = ROOT / "data/weights/vgg16_base.npz"
    repository.change(
        SMALL | ({"vgg16": SMALL["vgg16"] | {"weights": str(weights)}} if weights.exists() else {})
    )
    repository.run("git", "init", "--quiet")
    repository.run("git", "add", ".")
    repository.run("git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "small")
    return repository
