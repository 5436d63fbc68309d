"""Where the archive comes from: drawn here, on this disk, or downloaded."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from convlens import files
from convlens.data import SPLITS
from convlens.data.archive import open_archive
from convlens.data.download import download
from convlens.data.drawn.archive import write_archive
from convlens.data.layout import arrange
from convlens.errors import InputError
from convlens.params import DataParams
from convlens.progress import Progress, silent


@dataclass(frozen=True)
class Download:
    """A public archive; `sha256` is None where its publisher names none."""

    url: str
    sha256: str | None


DOWNLOADS = {
    "cats-and-dogs-small": Download(
        "https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip", None
    ),
    "kaggle-cats-dogs": Download(
        "https://download.microsoft.com/download/3/E/1/"
        "3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip",
        "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
    ),
}


def fetch(
    params: DataParams, out: Path, *, mirror: str | None = None, progress: Progress = silent
) -> str:
    """Bring the archive that `params` asks for to `out`, complete and safe; return its sha256.

    A folder of class folders becomes a zip whose bytes depend on names and contents only.
    `mirror` replaces everything before the file name in the address of a download.

    Raises
    ------
    InputError
        The source is missing, unreadable, unsafe, not the pinned one, or holds no two classes.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(out.with_name(f".{out.name}.fetch.lock")):
        for stray in out.parent.glob(f".{out.stem}.*.part{out.suffix}"):
            stray.unlink()  # of a killed run: while we hold the lock nobody is writing
        _bring(params, out, mirror, progress)
    return files.sha256(out)


def _bring(params: DataParams, out: Path, mirror: str | None, progress: Progress) -> None:
    if params.source == "drawn":
        counts = {split: int(getattr(params.split, split)) for split in SPLITS}
        write_archive(
            out, counts=counts, size=params.image_size, seed=params.seed, progress=progress
        )
    elif params.source == "archive":
        _take(Path(params.archive or "").expanduser(), out, params.sha256, progress)
    else:
        public = DOWNLOADS[params.source]
        url = f"{mirror.rstrip('/')}/{Path(public.url).name}" if mirror else public.url
        download(url, out, sha256=params.sha256 or public.sha256, progress=progress)
        try:
            _check(out)
        except InputError:
            out.unlink()
            raise


def _check(archive: Path) -> None:
    with open_archive(archive) as opened:
        arrange(opened.namelist(), archive)


def _take(source: Path, out: Path, pinned: str | None, progress: Progress) -> None:
    with files.atomic(out) as partial:
        if source.is_dir():
            pack(source, partial, progress)
            found = files.sha256(partial)
        else:
            _check(source)
            found = files.sha256(source)
        if pinned and found != pinned:
            raise InputError(
                f"{source} (data.archive)",
                expected=f"sha256 {pinned} (data.sha256)",
                found=f"sha256 {found}",
                fix="get the right file, or pin this one by its sha256 if it is the one you want",
            )
        if not source.is_dir():
            shutil.copyfile(source, partial)


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            ascii(name), expected="a file name in UTF-8", found="other bytes", fix="rename the file"
        ) from error


def pack(folder: Path, out: Path, progress: Progress = silent) -> None:
    """Zip the files under `folder`, sorted, stored, with one fixed date.

    Raises
    ------
    InputError
        A file cannot be read, or the folder is no layout of photos.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    names = sorted(name for name, path in paths.items() if path.is_file())
    arrange(names, folder)
    for name in names:
        _check_name(name)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in progress(names, what="pack photos", total=len(names), unit="files"):
            member = zipfile.ZipInfo(name)  # dated 1980, the zip format's zero
            member.external_attr = 0o644 << 16
            member.create_system = 3
            try:
                archive.writestr(member, paths[name].read_bytes())
            except OSError as error:
                raise InputError(
                    paths[name],
                    expected="a readable file",
                    found=str(error.strerror),
                    fix="give yourself the right to read it, or take it out of the folder",
                ) from error
