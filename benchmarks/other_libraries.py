"""ConvLens beside other libraries that explain Keras nets, each in an empty environment.

    python benchmarks/other_libraries.py [FOLDER]

Each is installed from the package index (ConvLens from this clone), explains one photo
by a MobileNetV2 of 224 pixels against the clock, and each net of docs/architectures.md once. A net
counts if Grad-CAM of the class that it predicts, with the library's own defaults, gives a map of
the photo's size that is finite and not constant; whether it is right, only the tests of ConvLens
ask. Seconds are beyond importing TensorFlow. FOLDER keeps nets and environments for the next time.
Prints the README's table, writes benchmarks/other_libraries.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.data.decode import decode
from convlens.files import write_json
from convlens.text import aligned

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "benchmarks/other_libraries.json"
LIBRARIES = {
    "convlens": ["."],
    "tf_keras_vis": ["tf-keras-vis==0.8.7", "tensorflow", "pillow"],
    "xplique": ["xplique==2.0.2"],
}

sys.path.insert(0, str(ROOT / "tests/explain"))


def main() -> None:
    """Install, measure, write."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(*sys.argv[1:2] or [place]).absolute()
        if not (folder / "nets").is_dir():
            _write_nets(folder / "nets")
        found = {name: _measure(name, folder) for name in LIBRARIES}
    write_json(OUT, found)
    print(table(found))


def table(found: dict[str, Any]) -> str:
    """Return the README's table."""
    rows = [["library", "installed", "first photo", "a further one", "nets explained"]]
    for name, row in found.items():
        good = sum(not reason for reason in row["nets"].values())
        seconds = [f"{row['seconds'][key]:.1f} s" for key in ("first", "further")]
        rows.append([name, f"{row['megabytes']:,} MB", *seconds, f"{good} of {len(row['nets'])}"])
    return aligned(rows)


def _write_nets(folder: Path) -> None:
    from nets import APPLICATIONS, BUILT, build, photos

    folder.mkdir(parents=True)
    for name in (*BUILT, *APPLICATIONS):
        model = build(name)
        stem = name.replace(" ", "_")
        _write_net(folder / stem, model, photos(model, 1))
    chelsea = (ROOT / "src/convlens/assets/chelsea.png").read_bytes()
    timed = keras.applications.MobileNetV2(weights=None, input_shape=(224, 224, 3))
    _write_net(folder / "timed", timed, decode(chelsea, 224, 224).pixels[None])


def _write_net(place: Path, model: keras.Model, photos: NDArray[np.uint8]) -> None:
    """Write a net, a photo for it, and the class that it predicts: 0 or 1 of one output."""
    said = model.predict(photos, verbose=0)[0]
    label = int(said.argmax() if len(said) > 1 else said[0] > 0.5)
    model.save(place.with_suffix(".keras"))
    np.savez(place.with_suffix(".npz"), photos=photos, label=label)


def _measure(name: str, folder: Path) -> dict[str, Any]:
    home = folder / name
    python = str(home / "bin/python")
    if not home.is_dir():
        venv.create(home, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", *LIBRARIES[name]]
        subprocess.run(install, check=True, cwd=ROOT)
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    script = ROOT / "benchmarks/contenders/explainers.py"
    done = subprocess.run(
        [python, str(script), name, str(folder / "nets")], cwd=folder, check=True,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = json.loads(done.stdout.strip().splitlines()[-1])
    size = sum(path.stat().st_size for path in files)
    return {"megabytes": round(size / 1e6), **said}


if __name__ == "__main__":
    main()
