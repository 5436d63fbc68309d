"""From an archive to memory-mapped arrays, with every entry accounted for."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock

from convlens import files
from convlens.data import SPLITS, examples
from convlens.data.archive import open_archive, read
from convlens.data.curate import UNUSED, Curation, Kept, curate
from convlens.data.layout import Arrangement, arrange
from convlens.data.scan import Scan, scan
from convlens.data.space import FREE_SOME, check_space
from convlens.data.split import SplitRule
from convlens.data.whats_there import refuse_too_many_bad
from convlens.engines import Engine
from convlens.params import DataParams
from convlens.progress import Progress, silent
from convlens.workers import cores

MANIFEST = (
    "path", "label", "split", "group", "sha256", "phash", "format", "mode", "width", "height",
)  # fmt: skip
QUARANTINE = ("path", "sha256", "reason")
DUPLICATES = ("path", "label", "split", "sha256", "kept", "group", "reason")


def prepare(
    archive: Path,
    out: Path,
    params: DataParams,
    *,
    progress: Progress = silent,
    workers: int | None = None,
    engine: Engine | None = None,
) -> None:
    """Turn the photos of `archive` into arrays and tables in the folder `out`.

    Writes `{train,validation,test}.npy` (uint8 (N, S, S, 3) RGB), `…_labels.npy` (uint8 (N,),
    uint16 above 256 classes),
    `manifest.csv` (its rows are the arrays' rows, split by split), `quarantine.csv`,
    `duplicates.csv`, `examples/` and `data.json`. The bytes depend on the archive and `params`
    only, not on `workers` (default: one a core) or `engine`. `out` appears complete or not at all.

    Raises
    ------
    InputError
        The archive is unusable or unsafe, too many photos are bad, or too few are left.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(out.with_name(f".{out.name}.lock")):
        _sweep(out)
        shown = Path(params.archive) if params.source == "archive" and params.archive else archive
        with open_archive(archive, shown) as opened:
            entries = opened.namelist()
            arrangement = arrange(entries, shown, params.classes, lambda n: read(opened, n))
        names = list(arrangement.photos)
        # every photo stands in the scratch file and in an array for a while
        check_space(out.parent, 2 * len(names) * params.image_size**2 * 3, FREE_SOME)
        with files.atomic(out) as partial:
            partial.mkdir()
            scratch = partial / "scratch"
            scans = scan(
                archive,
                names,
                scratch,
                params.image_size,
                workers=workers or cores(),
                engine=engine,
                progress=progress,
            )
            own = {place.split for place in arrangement.photos.values() if place.split}
            rule = SplitRule(params.split, params.seed, own)
            curation = curate(scans, arrangement.photos, rule)
            bad = {scan.path: str(scan.reason) for scan in curation.quarantine}
            refuse_too_many_bad(bad, len(names), params.max_bad_fraction, shown)
            rule.check(curation.counts, arrangement.counts)
            rows = {name: row for row, name in enumerate(names)}
            _write_labels(curation.manifest, arrangement.classes, partial)
            _write_arrays(curation.manifest, scratch, rows, partial, params.image_size)
            scratch.unlink()
            _write_tables(curation, partial)
            shown_photos = curation.manifest, arrangement.classes, params.examples
            examples.write(archive, *shown_photos, partial / "examples")
            summary = _summary(archive, params, arrangement, curation, rule, partial)
            files.write_json(partial / "data.json", summary)


def _sweep(out: Path) -> None:
    """Remove what killed runs left; we hold the lock, so nobody is still writing there."""
    for stray in out.parent.glob(f".{out.name}.*.part"):
        shutil.rmtree(stray)


def _write_labels(manifest: list[Kept], classes: Sequence[str], folder: Path) -> None:
    number = {label: index for index, label in enumerate(classes)}
    kind = np.min_scalar_type(len(classes) - 1)
    for split in SPLITS:
        labels = [number[kept.label] for kept in manifest if kept.split == split]
        np.save(folder / f"{split}_labels.npy", np.array(labels, kind))


def _write_arrays(
    manifest: list[Kept], scratch: Path, rows: dict[str, int], folder: Path, size: int
) -> None:
    row_bytes = size * size * 3
    for split in SPLITS:
        chosen = [kept for kept in manifest if kept.split == split]
        with (folder / f"{split}.npy").open("wb") as out, scratch.open("rb") as pixels:
            _write_header(out, (len(chosen), size, size, 3))
            for kept in chosen:
                pixels.seek(rows[kept.scan.path] * row_bytes)
                out.write(pixels.read(row_bytes))


def _write_header(out: BinaryIO, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(
        out, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )


def _write_tables(curation: Curation, folder: Path) -> None:
    files.write_csv(folder / "manifest.csv", MANIFEST, map(_manifest_row, curation.manifest))
    files.write_csv(
        folder / "quarantine.csv", QUARANTINE, map(_quarantine_row, curation.quarantine)
    )
    files.write_csv(folder / "duplicates.csv", DUPLICATES, map(vars, curation.duplicates))


def _manifest_row(kept: Kept) -> dict[str, str | int]:
    seen = kept.scan
    return {
        "path": seen.path,
        "label": kept.label,
        "split": kept.split,
        "group": kept.group,
        "sha256": seen.sha256,
        "phash": f"{seen.phash:016x}",
        "format": seen.format,
        "mode": seen.mode,
        "width": seen.width,
        "height": seen.height,
    }


def _quarantine_row(bad: Scan) -> dict[str, str | None]:
    return {"path": bad.path, "sha256": bad.sha256, "reason": bad.reason}


def _summary(
    archive: Path,
    params: DataParams,
    arrangement: Arrangement,
    curation: Curation,
    rule: SplitRule,
    folder: Path,
) -> dict[str, object]:
    ignored = Counter(arrangement.ignored.values()) + Counter({UNUSED: len(curation.unused)})
    places = {
        "manifest": len(curation.manifest),
        "quarantine": len(curation.quarantine),
        "duplicates": len(curation.duplicates),
        "ignored": ignored.total(),
    }
    counts = curation.counts
    return {
        "source": params.source,
        "archive_sha256": files.sha256(archive),
        "digest": files.sha256(folder / "manifest.csv"),
        "image_size": params.image_size,
        "layout": arrangement.layout,
        "split_rule": rule.text,
        "classes": list(arrangement.classes),
        "counts": {s: {c: counts[s, c] for c in arrangement.classes} for s in SPLITS},
        "accounting": {"entries": sum(places.values()), **places},
        "ignored": dict(sorted(ignored.items())),
        "quarantine": dict(sorted(Counter(str(b.reason) for b in curation.quarantine).items())),
    }
