"""A run's files, and the figures under the names by which MLflow's image grid knows them."""

from __future__ import annotations

import re
import shutil
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from convlens.files import read_json, sha256, write_json
from convlens.tracking.record import RunRecord

_GRID = "images/"
_MANIFEST = "projection.json"
_THUMBNAIL = (256, 256)


def send(client: Any, run_id: str, record: RunRecord) -> None:
    """Make the run's files those of `record`; unchanged ones, by digest, are not sent again.

    Of a part that `record` knows nothing of, e.g. explanations that were not made again, the
    run keeps what it has.
    """
    sources = dict(record.files) | {_grid_name(k, record): p for k, p in record.images.items()}
    digests = {name: sha256(path) for name, path in sources.items()}
    with tempfile.TemporaryDirectory() as scratch:
        there = _there(client, run_id, Path(scratch) / "there")
        described = {_part(name) for name in digests}
        stale = {name for name in there if name not in digests and _part(name) in described}
        after = {name: there[name] for name in there.keys() - stale} | digests
        if there == after:
            return
        out = Path(scratch) / "out"
        changed = [name for name in sources if there.get(name) != digests[name]]
        with ThreadPoolExecutor() as pool:  # decoding big figures is most of the time here
            list(pool.map(lambda name: _stage(sources[name], out, name), changed))
        _remove(client, run_id, stale)
        client.log_artifacts(run_id, str(out))
        # Last, so that whatever was cut off before it is sent again.
        write_json(Path(scratch) / _MANIFEST, after)
        client.log_artifact(run_id, str(Path(scratch) / _MANIFEST))


def _part(name: str) -> str:
    """Return what a file is about, e.g. `explain` of `explain/filters.png`."""
    return re.split("[/~+]", name.removeprefix(_GRID))[0]


def _grid_name(key: str, record: RunRecord) -> str:
    """Return the name by which MLflow's image grid knows an image.

    `log_image` makes such a name from the time and a random id, so a second call would add a
    second image; a constant one replaces it, and the figure's own bytes are kept.
    """
    identity = uuid.uuid5(uuid.NAMESPACE_URL, key)
    return f"{_GRID}{key.replace('/', '~')}+step+0+timestamp+{record.ended}+{identity}.png"


def _thumbnail_name(name: str) -> str:
    return f"{name.removesuffix('.png')}+compressed.webp"


def _there(client: Any, run_id: str, scratch: Path) -> dict[str, str]:
    if _MANIFEST not in {item.path for item in client.list_artifacts(run_id)}:
        return {}
    scratch.mkdir()
    return dict(read_json(Path(client.download_artifacts(run_id, _MANIFEST, str(scratch)))))


def _remove(client: Any, run_id: str, names: set[str]) -> None:
    if not names:
        return
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    store = get_artifact_repository(client.get_run(run_id).info.artifact_uri)
    for name in sorted(names):
        store.delete_artifacts(name)
        if name.startswith(_GRID):
            store.delete_artifacts(_thumbnail_name(name))


def _stage(source: Path, out: Path, name: str) -> None:
    from PIL import Image

    (out / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, out / name)
    if name.startswith(_GRID):
        with Image.open(source) as image:
            small = image.convert("RGB")
            small.thumbnail(_THUMBNAIL)
            small.save(out / _thumbnail_name(name), method=0)
