"""Downloads that survive cuts: resumed, retried, checked, and complete or absent."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from filelock import FileLock

from convlens import files
from convlens.data.space import check_space
from convlens.errors import InputError
from convlens.progress import Progress, silent

if TYPE_CHECKING:
    import requests

MIB = 2**20
PIECE = 2**14  # bytes: what a cut loses at most
RETRY_STATUS = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_PAUSE = 30.0
TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds without a byte


class _TransientError(Exception):
    """Worth another attempt, perhaps after `pause` seconds that the server asked for."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None = None,
    pinned_in: Path | None = None,
    attempts: int = 6,
    progress: Progress = silent,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Download `url` to `path` and return its sha256; if that file is there, nothing is fetched.

    What has arrived waits in `<path>.part` for the next attempt or the next process. It is
    resumed with `Range` and `If-Range` (RFC 9110, 13.1.5), so a file that changed on the server
    starts again. Two processes share one download through a lock. Proxies come from the
    environment, as requests reads it.

    Parameters
    ----------
    sha256
        The expected digest of the whole file, in hex.
    pinned_in
        The file that says so since the first download, for a user who trusts a new one.
    attempts
        How many times in a row an attempt may fail without getting further than ever before.
    sleep
        Waits so many seconds between attempts.

    Raises
    ------
    InputError
        The server refuses or answers a web page, attempts or disk space run out, or the digest
        is not `sha256`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if path.exists() and (found := files.sha256(path)) == (sha256 or found):
            return found
        partial = _Partial(path)
        _fill(url, partial, attempts, progress, sleep)
        return partial.finish(path, url, sha256, pinned_in)


class _Partial:
    """The bytes that have arrived so far, and the validator of the file that they belong to."""

    def __init__(self, path: Path) -> None:
        self.body = path.with_name(f"{path.name}.part")
        self.tag = path.with_name(f"{path.name}.tag.part")

    @property
    def size(self) -> int:
        return self.body.stat().st_size if self.body.exists() else 0

    def headers(self) -> dict[str, str]:
        """Ask for the rest if the server can tell us that it is the rest of the same file."""
        plain = {"Accept-Encoding": "identity"}
        if not self.size or not self.tag.exists():
            return plain
        return plain | {"Range": f"bytes={self.size}-", "If-Range": self.tag.read_text()}

    def restart(self, response: requests.Response | None = None) -> None:
        self.body.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)
        if response is not None:
            etag = response.headers.get("ETag", "")
            weak = not etag or etag.startswith("W/")  # a weak one does not promise equal bytes
            validator = response.headers.get("Last-Modified", "") if weak else etag
            if validator:
                files.write_text(self.tag, validator)

    def finish(self, path: Path, url: str, sha256: str | None, pinned_in: Path | None) -> str:
        found = files.sha256(self.body)
        if sha256 and found != sha256:
            self.restart()
            raise InputError(
                url,
                expected=f"a file with sha256 {sha256}"
                + (f", pinned in {pinned_in} when it first came" if pinned_in else ""),
                found=f"sha256 {found}",
                fix="the file on the server changed, or something on the way alters it"
                + (f"; take its line out of {pinned_in} if you trust it" if pinned_in else ""),
            )
        with self.body.open("rb") as written:
            os.fsync(written.fileno())
        self.body.replace(path)
        self.tag.unlink(missing_ok=True)
        return found


def _fill(
    url: str,
    partial: _Partial,
    attempts: int,
    progress: Progress,
    sleep: Callable[[float], None],
) -> None:
    import requests

    failures, furthest = 0, partial.size
    with requests.Session() as session:
        while True:
            try:
                return _attempt(session, url, partial, progress)
            except (requests.RequestException, _TransientError) as error:
                grew = partial.size > furthest
                failures = 1 if grew else failures + 1
                furthest = max(furthest, partial.size)
                if (failures >= attempts and not grew) or _hopeless(error):
                    raise _given_up(url, error, partial.size) from error
                asked = error.pause if isinstance(error, _TransientError) else None
                sleep(min(LONGEST_PAUSE, 2.0 ** (failures - 1) if asked is None else asked))


def _hopeless(error: Exception) -> bool:
    import requests

    wrong = requests.exceptions
    return isinstance(error, wrong.InvalidURL | wrong.MissingSchema | wrong.InvalidSchema)


def _attempt(session: requests.Session, url: str, partial: _Partial, progress: Progress) -> None:
    with session.get(url, headers=partial.headers(), stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:
            if response.headers.get("Content-Range") == f"bytes */{partial.size}":
                return  # all of it had arrived before a kill
            # what we have cannot be the file's beginning
            partial.restart()
            raise _TransientError("the server does not have the rest of what arrived")
        _check(response, url)
        start = partial.size
        if response.status_code != 206:
            partial.restart(response)
            start = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            partial.restart()
            raise _TransientError("the server sent another range than the one asked for")
        length = response.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        if total is not None:
            check_space(partial.body.parent, total - start)
        with partial.body.open("ab") as out:
            done = progress(
                _store(response, out),
                what=url.rsplit("/", 1)[-1],
                total=None if total is None else math.ceil((total - start) / MIB),
                unit="MiB",
            )
            for _ in done:
                pass
    if total is not None and partial.size != total:
        raise _TransientError(f"{partial.size:,} of {total:,} bytes arrived")


def _store(response: requests.Response, out: BinaryIO) -> Iterator[int]:
    """Write the body to `out`; yield after every mebibyte and at the end."""
    written = 0
    for chunk in response.iter_content(PIECE):
        out.write(chunk)
        written += len(chunk)
        if written >= MIB:
            yield written
            written = 0
    if written:
        yield written


def _check(response: requests.Response, url: str) -> None:
    status = response.status_code
    if status in RETRY_STATUS:
        pause = response.headers.get("Retry-After", "")
        raise _TransientError(
            f"HTTP {status} {response.reason}", float(pause) if pause.isdigit() else None
        )
    page = response.headers.get("Content-Type", "").startswith("text/html")
    if status not in (200, 206) or page:
        raise InputError(
            url,
            expected="a file",
            found="a web page" if page else f"HTTP {status} {response.reason}",
            fix="open the address in a browser; behind a company proxy, set HTTPS_PROXY",
        )


def _given_up(url: str, error: Exception, size: int) -> InputError:
    return InputError(
        url,
        expected="a server that answers",
        found=f"{error or type(error).__name__}",
        fix=f"check the network and run again; it continues after the {size:,} bytes that arrived",
    )
