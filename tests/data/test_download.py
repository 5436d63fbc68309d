"""Downloads from a server that cuts, slows, forgets ranges, changes the file, talks rubbish."""

import hashlib
import random
import subprocess
import sys
import threading
import time
from collections import namedtuple

import pytest
from archives import class_folders, data_params, write_zip
from awkward_server import Manners, serve

from convlens.data import sources
from convlens.data.download import download
from convlens.errors import InputError

BODY, OTHER = random.Random(0).randbytes(5 * 2**20 + 17), random.Random(1).randbytes(3 * 2**20)
DIGEST = hashlib.sha256(BODY).hexdigest()
MAIN = "import sys; from pathlib import Path; from convlens.data.download import download\n"
MAIN += "download(sys.argv[1], Path(sys.argv[2]))"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "raw" / "pets.zip"


def left_over(path) -> list[str]:
    return sorted(p.name for p in path.parent.iterdir() if p.suffix != ".lock")


def get(url, path, **options):
    pauses: list[float] = []
    download(url, path, sleep=pauses.append, **options)
    return pauses


def test_whole_file(path) -> None:
    with serve(Manners(BODY)) as url:
        assert get(url, path, sha256=DIGEST) == []
        assert path.read_bytes() == BODY
        assert left_over(path) == ["pets.zip"]


def test_resumes_after_cuts_and_waits_longer_each_time_nothing_comes(path) -> None:
    manners = Manners(BODY, cuts=[2**20 + 5, 2**20, 0, 0, 0])
    with serve(manners) as url:
        assert get(url, path) == [1.0, 1.0, 2.0, 4.0, 8.0]
    assert path.read_bytes() == BODY
    asked = [headers.get("Range") for headers in manners.seen]
    assert asked[0] is None
    resumed = int(asked[1].removeprefix("bytes=").removesuffix("-"))
    assert 2**20 - 2**14 < resumed <= 2**20 + 5
    assert manners.seen[1]["If-Range"] == '"one"'


def test_slow_server_is_waited_for(path) -> None:
    with serve(Manners(BODY[:200_000], chunk=20_000, pause=0.02)) as url:
        get(url, path)
    assert path.read_bytes() == BODY[:200_000]


def test_server_that_ignores_ranges_starts_again(path) -> None:
    manners = Manners(BODY, cuts=[2**20], ranges=False)
    with serve(manners) as url:
        get(url, path)
    assert path.read_bytes() == BODY
    assert len(manners.seen) == 2


def test_server_that_ignores_ranges_and_always_cuts_is_given_up(path) -> None:
    with (
        serve(Manners(BODY, cuts=[2**20] * 99, ranges=False)) as url,
        pytest.raises(InputError, match="run again"),
    ):
        get(url, path, attempts=3)
    assert not path.exists()


def test_file_that_changed_in_between_is_taken_whole(path) -> None:
    manners = Manners(BODY, cuts=[2**20])
    with serve(manners) as url:

        def change(_: float) -> None:
            manners.body, manners.etag = OTHER, '"two"'

        download(url, path, sleep=change)
    assert path.read_bytes() == OTHER


def test_without_a_validator_nothing_is_glued_together(path) -> None:
    manners = Manners(BODY, etag=None, cuts=[2**20])
    with serve(manners) as url:
        get(url, path)
    assert path.read_bytes() == BODY
    assert "Range" not in manners.seen[1]


def test_weak_etag_is_no_validator(path) -> None:
    manners = Manners(BODY, etag='W/"one"', cuts=[2**20])
    with serve(manners) as url:
        get(url, path)
    assert path.read_bytes() == BODY
    assert "Range" not in manners.seen[1]


def test_wrong_range_is_not_appended(path) -> None:
    manners = Manners(BODY, cuts=[2**20], shift=3)
    with serve(manners) as url:
        get(url, path, sha256=DIGEST)
    assert path.read_bytes() == BODY


def test_too_long_a_part_starts_again(path) -> None:
    path.parent.mkdir()
    path.with_name("pets.zip.part").write_bytes(BODY + b"more")
    path.with_name("pets.zip.tag.part").write_text('"one"')
    with serve(Manners(BODY)) as url:
        get(url, path)
    assert path.read_bytes() == BODY


def test_server_errors_are_retried_as_long_as_it_asks(path) -> None:
    with serve(Manners(BODY, statuses=[503, 429, 200])) as url:
        assert get(url, path) == [7.0, 7.0]
    assert path.read_bytes() == BODY


def test_server_that_stays_down_is_one_clear_error(path) -> None:
    with (
        serve(Manners(BODY, statuses=[503] * 9)) as url,
        pytest.raises(InputError, match=r"(?s)pets\.zip.*HTTP 503"),
    ):
        get(url, path, attempts=4)
    with pytest.raises(InputError, match="check the network"):
        get(url, path, attempts=2)  # nobody listens there any more
    assert left_over(path) == []


@pytest.mark.parametrize("status", [403, 404])
def test_refusals_are_not_retried(path, status) -> None:
    manners = Manners(BODY, statuses=[status])
    with serve(manners) as url, pytest.raises(InputError, match=f"HTTP {status}"):
        get(url, path)
    assert len(manners.seen) == 1


def test_html_page_with_status_200_is_refused(path) -> None:
    with (
        serve(Manners(BODY, page=True)) as url,
        pytest.raises(InputError, match=r"(?s)a web page.*HTTPS_PROXY"),
    ):
        get(url, path)
    assert left_over(path) == []


def test_wrong_digest_leaves_nothing(path) -> None:
    with serve(Manners(OTHER)) as url, pytest.raises(InputError, match=DIGEST):
        get(url, path, sha256=DIGEST)
    assert left_over(path) == []


def test_full_disk_is_told_before_the_body(path, monkeypatch) -> None:
    usage = namedtuple("usage", "total used free")(0, 0, 1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with (
        serve(Manners(BODY)) as url,
        pytest.raises(InputError, match=f"(?s){len(BODY):,} bytes.*1,000"),
    ):
        get(url, path)
    assert not path.exists()


def test_proxy_of_the_environment_is_used(path, monkeypatch) -> None:
    manners = Manners(BODY)
    with serve(manners) as proxy:
        monkeypatch.setenv("http_proxy", proxy.removesuffix("/pets.zip"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        get("http://photos.invalid/pets.zip", path)
    assert manners.lines == ["http://photos.invalid/pets.zip"]


def test_killed_process_is_continued_by_the_next(path) -> None:
    manners = Manners(BODY, chunk=2**18, pause=0.05)
    with serve(manners) as url:
        process = subprocess.Popen([sys.executable, "-c", MAIN, url, str(path)])
        part = path.with_name("pets.zip.part")
        deadline = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.wait()
        arrived = part.stat().st_size
        assert 0 < arrived < len(BODY)
        assert not path.exists()
        manners.pause = 0
        get(url, path)
    assert manners.seen[-1]["Range"] == f"bytes={arrived}-"
    assert path.read_bytes() == BODY
    assert left_over(path) == ["pets.zip"]


def test_two_at_once_share_one_download(path) -> None:
    manners = Manners(BODY, pause=0.01)
    with serve(manners) as url:
        threads = [threading.Thread(target=get, args=(url, path)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(manners.seen) == 1
    assert path.read_bytes() == BODY


def test_source_is_downloaded_from_a_mirror(tmp_path) -> None:
    body = write_zip(tmp_path / "pets.zip", class_folders(3)).read_bytes()
    manners = Manners(body)
    params = data_params(source="cats-and-dogs-small", archive=None)
    with serve(manners) as url:
        found = sources.fetch(params, tmp_path / "source.zip", mirror=url.removesuffix("pets.zip"))
    assert manners.lines == ["/cats_and_dogs_filtered.zip"]
    assert found == hashlib.sha256(body).hexdigest()


def test_downloaded_rubbish_does_not_stay(tmp_path) -> None:
    params = data_params(source="cats-and-dogs-small", archive=None)
    with serve(Manners(b"no zip at all")) as url, pytest.raises(InputError, match="not a zip"):
        sources.fetch(params, tmp_path / "source.zip", mirror=url.removesuffix("/pets.zip"))
    assert not (tmp_path / "source.zip").exists()


def test_all_had_arrived_before_a_kill(path) -> None:
    manners = Manners(BODY, cuts=[len(BODY) - 1] + [0] * 9)
    with serve(manners) as url:
        with pytest.raises(InputError):
            get(url, path, attempts=2)
        (part,) = (p for p in path.parent.iterdir() if p.stat().st_size > 1000)
        part.write_bytes(BODY)
        manners.cuts, manners.lines = [], []
        get(url, path, sha256=DIGEST)
    assert path.read_bytes() == BODY
    assert len(manners.lines) == 1  # nothing was fetched again


def test_an_address_of_no_known_kind_is_not_tried_again(path) -> None:
    with pytest.raises(InputError):
        download("htp://127.0.0.1/pets.zip", path, sleep=pytest.fail)
