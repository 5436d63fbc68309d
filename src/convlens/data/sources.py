"""Where the archive comes from: drawn here, on this disk, or downloaded."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from filelock import FileLock

from convlens import files
from convlens.class_names import fold
from convlens.data import SPLITS, pack
from convlens.data.archive import open_archive, read
from convlens.data.classes import Asked
from convlens.data.download import download
from convlens.data.drawn.animals import ANIMALS
from convlens.data.drawn.archive import write_archive
from convlens.data.layout import Arrangement, arrange
from convlens.data.whats_there import refuse_too_many_bad
from convlens.errors import InputError
from convlens.params import DataParams
from convlens.progress import Progress, silent


@dataclass(frozen=True)
class Download:
    """A public archive; `sha256` is None where its publisher names none: then first use pins it."""

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
    # TensorFlow's tutorials: 3,670 photos of five flowers, by many hands, CC BY
    "flowers": Download(
        "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
        None,
    ),
    # Parkhi et al., Cats and Dogs, CVPR 2012: about 200 photos of each of 37 breeds, CC BY-SA 4.0
    "pets": Download("https://thor.robots.ox.ac.uk/~vgg/data/pets/images.tar.gz", None),
}


def fetch(
    params: DataParams,
    out: Path,
    *,
    mirror: str | None = None,
    digests: Path | None = None,
    progress: Progress = silent,
) -> str:
    """Bring the archive that `params` asks for to `out`, complete and safe; return its sha256.

    A folder of class folders becomes a zip whose bytes depend on names and contents only; so does
    a tar archive.

    Parameters
    ----------
    mirror
        Replaces everything before the file name in the address of a download.
    digests
        A JSON file of sha256 by address: what arrived once from a publisher who names no digest.
        A download that is not in it is added, and every later one must be the same.

    Raises
    ------
    InputError
        The source is missing, unreadable, unsafe, not the pinned one, or holds no two classes.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(out.with_name(f".{out.name}.fetch.lock")):
        for stray in out.parent.glob(f".{out.stem}.*.part{out.suffix}"):
            stray.unlink()  # of a killed run: while we hold the lock nobody is writing
        if params.source in DOWNLOADS:
            _download(params, out, mirror, digests, progress)
        else:
            _bring(params, out, progress)
    return files.sha256(out)


def _bring(params: DataParams, out: Path, progress: Progress) -> None:
    if params.source == "drawn":
        counts = {split: int(getattr(params.split, split)) for split in SPLITS}
        write_archive(
            out, counts=counts, animals=_animals(params.classes), size=params.image_size,
            seed=params.seed, progress=progress,
        )  # fmt: skip
    else:
        source = Path(params.archive or "").expanduser()
        _take(params, source, out, progress)


def _download(
    params: DataParams, out: Path, mirror: str | None, digests: Path | None, progress: Progress
) -> None:
    public = DOWNLOADS[params.source]
    file = Path(public.url).name
    first_use: dict[str, str] = files.read_json(digests) if digests and digests.exists() else {}
    known = params.sha256 or public.sha256
    pinned = known or first_use.get(public.url)
    arrived = out.with_name(file)
    digest = download(
        f"{mirror.rstrip('/')}/{file}" if mirror else public.url, arrived, sha256=pinned,
        pinned_in=digests if pinned and not known else None, progress=progress,
    )  # fmt: skip
    try:
        with files.atomic(out) as partial:
            _checked(params, arrived, partial, progress)
            if not partial.exists():
                arrived.replace(partial)
    except InputError:
        if not pinned:  # perhaps rubbish; what is known to be right waits for other parameters
            arrived.unlink()
        raise
    arrived.unlink(missing_ok=True)
    if digests and not pinned:
        files.write_json(digests, first_use | {public.url: digest})


def _animals(asked: Asked) -> list[str]:
    """Return which animals to draw: cats and dogs, or the folders of `data.classes`."""
    if asked is None:
        return ["cat", "dog"]
    forms = asked if isinstance(asked, dict) else {name: [name] for name in asked}
    animals = {form: animal for animal in ANIMALS for form in (animal, f"{animal}s")}
    folders = [folder for given in forms.values() for folder in given]
    if unknown := [folder for folder in folders if fold(folder) not in animals]:
        raise InputError(
            "data.classes", expected=f"animals that can be drawn: {', '.join(ANIMALS)}",
            found=unknown[0], fix="leave it out, or take photos: data.source",
        )  # fmt: skip
    return [animals[fold(folder)] for folder in folders]


def warnings(archive: Path, asked: Asked = None) -> tuple[str, ...]:
    """Return sentences about what is left out of an archive that `fetch` brought."""
    return _check(archive, asked).warnings


def _check(
    archive: Path, asked: Asked, shown: Path | None = None, limit: float = 1.0
) -> Arrangement:
    shown = shown or archive
    with open_archive(archive, shown) as opened:
        found = arrange(opened.namelist(), shown, asked, lambda name: read(opened, name))
        bad = {name: why for name, why in opened.faults.items() if name in found.photos}
    refuse_too_many_bad(bad, len(found.photos), limit, shown)
    return found


def _take(params: DataParams, source: Path, out: Path, progress: Progress) -> None:
    pinned = params.sha256
    with files.atomic(out) as partial:
        _checked(params, source, partial, progress)
        # a folder has no digest of its own: it is that of the zip that it becomes
        found = files.sha256(partial if source.is_dir() else source)
        if pinned and found != pinned:
            raise InputError(
                f"{source} (data.archive)",
                expected=f"sha256 {pinned} (data.sha256)",
                found=f"sha256 {found}: it changed since it was pinned",
                fix=f"run `make photos ARCHIVE={quote(str(source))}` again if the new content is "
                "the one you want (or set data.sha256), else get the old one back",
            )
        if not partial.exists():
            shutil.copyfile(source, partial)


def _checked(params: DataParams, source: Path, out: Path, progress: Progress) -> None:
    """Check `source`, and zip it to `out` if it is no zip."""
    if pack.is_packed(source):
        pack_whole(source, out, params.max_bad_fraction, progress, params.classes)
    else:
        _check(source, params.classes, limit=params.max_bad_fraction)


def pack_whole(
    source: Path, out: Path, limit: float, progress: Progress = silent, asked: Asked = None
) -> None:
    """Zip a folder or a tar archive of photos, of which all can be read.

    `limit` is the share of them that may be unusable for what their names and sizes already say.

    Raises
    ------
    InputError
        A photo or a folder can't be read, too many are unusable, it is no layout of photos, or
        it is unsafe.
    """
    faults = pack.pack(source, out, progress, asked)
    _refuse_unreadable(source, faults, _check(out, asked, source, limit))


def _refuse_unreadable(source: Path, faults: dict[str, str], found: Arrangement) -> None:
    """Raise InputError if a photo that would be used, or a whole folder, can't be read."""
    for name, reason in faults.items():
        if (name in found.photos or name.endswith("/")) and not reason.startswith("a broken link"):
            raise InputError(
                source / name,
                expected="a file or folder that can be read",
                found=reason,
                fix="give yourself the right to read it, or take it out of the folder",
            )
