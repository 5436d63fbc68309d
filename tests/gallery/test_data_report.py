"""The data report says what is in the prepared folder, in the same bytes each time."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))

from archives import data_params, traps, write_zip

from convlens.data.ingest import prepare
from convlens.gallery import data as report
from convlens.gallery import data_charts

FILES = [
    "brightness.csv", "brightness.png", "contact/cat.png", "contact/dog.png", "counts.csv",
    "counts.png", "duplicates.png", "quarantine.png", "sizes.csv", "sizes.png",
]  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_zip(folder / "source.zip", traps())
    prepare(folder / "source.zip", folder / "prepared", data_params(), workers=1)
    report.write(folder / "source.zip", folder / "prepared", folder / "out")
    return folder


def listed(out: Path) -> list[str]:
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as source:
        return list(csv.DictReader(source))


def test_tables_count_what_is_in_the_arrays(written) -> None:
    labels = {s: np.load(written / f"prepared/{s}_labels.npy") for s in ("train", "test")}
    counts = {(r["split"], r["label"]): int(r["count"]) for r in table(written / "out/counts.csv")}
    for split, values in labels.items():
        assert counts[split, "cat"] == (values == 0).sum()
        assert counts[split, "dog"] == (values == 1).sum()
    total = len(table(written / "prepared/manifest.csv"))
    assert sum(counts.values()) == total
    assert sum(int(row["count"]) for row in table(written / "out/sizes.csv")) == total
    bright = table(written / "out/brightness.csv")
    assert sum(int(row["cat"]) + int(row["dog"]) for row in bright) == total


def test_brightness_is_the_mean_luma(written) -> None:
    expected = np.zeros((32, 2), int)
    for split in ("train", "validation", "test"):
        images = np.load(written / f"prepared/{split}.npy").astype(float)
        luma = (images @ np.array([0.299, 0.587, 0.114])).mean(axis=(1, 2))
        for label, level in zip(
            np.load(written / f"prepared/{split}_labels.npy"), luma, strict=True
        ):
            expected[int(level) // 8, label] += 1
    rows = table(written / "out/brightness.csv")
    np.testing.assert_array_equal([[int(r["cat"]), int(r["dog"])] for r in rows], expected)


def test_the_same_files_with_the_same_bytes(written) -> None:
    report.write(written / "source.zip", written / "prepared", written / "again")
    assert listed(written / "out") == FILES
    for name in FILES:
        assert (written / "out" / name).read_bytes() == (written / "again" / name).read_bytes()


def test_quarantine_and_duplicates_are_shown_side_by_side(written, monkeypatch) -> None:
    shown = {}

    def record(pictures, columns, heading, note):
        shown[heading] = [picture.title.replace("\n", " ") for picture in pictures]
        return drawn(pictures, columns, heading, note)

    drawn = data_charts.captioned
    monkeypatch.setattr(data_charts, "captioned", record)
    report.write(written / "source.zip", written / "prepared", written / "third")
    assert "Dog/cut.jpg truncated" in shown["Quarantine"]
    assert len(shown["Quarantine"]) == len(table(written / "prepared/quarantine.csv"))
    assert all(caption.count(".jpg") == 1 for caption in shown["Suspected duplicates"])
    captions = shown["Suspected duplicates"]
    assert captions[1::2] == [c for c in captions if "left out" in c or "looks the same" in c]
    assert any("byte-for-byte copy" in caption for caption in captions)


def test_many_classes_are_bars_of_their_splits_the_smallest_first() -> None:
    numbers = {split: {f"c{n}": 40 - n for n in range(30)} for split in ("train", "test")}
    numbers["validation"] = {f"c{n}": 1 for n in range(30)}
    (axes,) = data_charts.counts(numbers, "t").axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == "c29"
    ends = [max(bar.get_x() + bar.get_width() for bar in bars) for bars in axes.containers]
    assert max(ends) == 81
    levels = {f"c{n}": np.full(5, 100 + n) for n in range(30)}
    (axes,) = data_charts.brightness(levels, "t").axes
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert shown == ["c0, mean 100", "c29, mean 129"]
