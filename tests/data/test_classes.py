"""Classes are what the archive's folders, a table or the user say, whatever they are called."""

import json
from pathlib import Path

import numpy as np
import pytest
from archives import data_params, photo, write_files, write_zip

from convlens.data.ingest import prepare
from convlens.data.inspect import inspect
from convlens.data.layout import arrange
from convlens.data.sources import fetch
from convlens.errors import InputError

FLOWERS = ("daisy", "rose", "tulip")


def names(form, labels=FLOWERS, count=3):
    return [form.format(label=label, n=n) for label in labels for n in range(count)]


def said(members, asked=None):
    with pytest.raises(InputError) as caught:
        arrange(members, Path("x.zip"), asked)
    return str(caught.value)


@pytest.mark.parametrize(
    ("members", "splits"),
    [
        (names("{label}/{n}.jpg"), {None}),
        (names("flowers/photos/{label}/{n}.jpg"), {None}),
        (names("{label}.{n}.jpg"), {None}),
        (names("set/{label}.{n}.jpg"), {None}),
        (names("{label}/train/{n}.jpg") + names("{label}/val/{n}.jpg"), {"train", "validation"}),
        (names("Training/{label}/{n}.jpg") + names("testing/{label}/{n}.jpg"), {"train", "test"}),
        (names("{label}/wild or not/{n}.jpg") + names("{label}/{n}.jpg"), {None}),
    ],
)
def test_any_folders_or_names_are_classes_in_alphabetical_order(members, splits):
    found = arrange(members, Path("x.zip"))
    assert found.classes == FLOWERS
    assert sorted(found.photos) == sorted(members)
    assert all(place.label in name for name, place in found.photos.items())
    assert {place.split for place in found.photos.values()} == splits
    assert not found.warnings


def test_cats_and_dogs_keep_their_names_and_what_lies_beside_them_is_a_class_too():
    members = names("pets/train/{label}/{n}.jpg", ("Cats", "DOG", "wild"))
    found = arrange(members, Path("x.zip"))
    assert found.classes == ("cat", "dog", "wild")
    assert found.photos["pets/train/DOG/1.jpg"].label == "dog"


def test_breeds_inside_class_folders_are_of_their_class():
    members = [f"{a}/{b}/{n}.jpg" for a, b in (("birds", "owl"), ("fish", "eel")) for n in (1, 2)]
    assert arrange(members, Path("x.zip")).classes == ("birds", "fish")


@pytest.mark.parametrize(
    ("asked", "classes", "kept"),
    [
        (["tulip", "rose"], ("tulip", "rose"), 6),  # in the user's order, daisies left out
        ({"red": ["rose", "tulip"], "white": ["daisy"]}, ("red", "white"), 9),  # merged
        ({"Rosa": ["ROSE"], "Tulpe": ["tulip"]}, ("Rosa", "Tulpe"), 6),  # renamed
        (["roses", "daisy"], None, 0),
    ],
)
def test_classes_can_be_named_renamed_merged_and_left_out(asked, classes, kept):
    members = names("{label}/{n}.jpg")
    if classes is None:
        assert "no roses among 3 photos" in said(members, asked)
        return
    found = arrange(members, Path("x.zip"), asked)
    assert found.classes == classes
    assert len(found.photos) == kept
    assert len(found.ignored) == 9 - kept
    assert bool(found.warnings) == (kept < 9)


def test_named_classes_may_lie_in_plural_folders():
    members = names("{label}s/{n}.jpg", ("rabbit", "bear"))
    assert arrange(members, Path("x"), ["bear", "rabbit"]).classes == ("bear", "rabbit")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (names("{label}/{n}.jpg", ("rose",)), ["3 in rose", "rose is one class, and two make"]),
        (names("test/{label}/{n}.jpg", ("rose",)), ["rose is one class, and two make a task"]),
        (names("{label}/{n}.jpg", ("train", "plane")), ["train is a split's name", "data.classes"]),
        (names("{label}/{n}.jpg", (".rose", ".tulip")), ["hidden folders only: .rose, .tulip"]),
        (["1.jpg", "2.jpg", "train.csv"], ["call their table labels.csv", "train.csv"]),
        (names("{label}/{n}.jpg", range(1001), 1), ["1,001 classes; at most 1,000"]),
        (names("{label}/{n}.jpg", ("Rose", "rose", "tulip")), ["'Rose' and 'rose' differ in"]),
        (names("{label}/{n}.jpg", ("caf\u00e9", "cafe\u0301")), ["Unicode's spelling"]),
        (names("{label}/{n}.jpg", (" rose", "tulip")), ["begins or ends with a blank"]),
        (names("{label}/{n}.jpg", ("red ant", "red  ant")), ["differ in nothing but case, blanks"]),
        (names("{label}/{n}.jpg") + names("more/{label}/{n}.jpg"),
         ["one depth", "9 photos in daisy", "9 photos in more/daisy"]),
        ([f"b{b}/{name}" for b in (1, 2) for name in names("{label}/{n}.jpg")],
         ["b1 (9 photos), b2 (9 photos)", "rename"]),
    ],
)  # fmt: skip
def test_what_can_be_no_classes_is_one_message(members, words):
    message = said(members)
    for word in words:
        assert word in message


def test_names_with_blanks_and_other_scripts_are_fine_and_hidden_folders_are_none():
    members = names("{label}/{n}.jpg", ("black bear", "\u718a", ".seal"))
    members.append("black bear/.ipynb_checkpoints/1.jpg")  # nobody wants that read
    found = arrange(members, Path("x.zip"))
    assert found.classes == ("black bear", "\u718a")
    assert set(found.ignored.values()) == {"hidden"}
    assert found.warnings == (
        "1 hidden folder of photos left out: .seal; without its dot it would be read",
    )


def test_a_hidden_folder_of_a_folder_is_counted_too(tmp_path):
    members = {
        f"{label}/{n}.jpg": photo((label, n)) for label in (*FLOWERS, ".iris") for n in (1, 2)
    }
    found = inspect(write_files(tmp_path, members | {"__MACOSX/._1.jpg": b""}), workers=1)
    assert "hidden folder of photos left out: .iris" in found.warnings[0]
    assert len(found.warnings) == 1


def test_masks_and_splits_may_be_classes():
    members = names("{label}/{n}.jpg", ("masks", "none"))
    assert arrange(members, Path("x.zip")).classes == ("masks", "none")
    members = names("{label}/{n}.jpg", ("plane", "train"))
    found = arrange(members, Path("x.zip"), ["plane", "train"])
    assert sorted(found.photos) == members
    assert {place.label for place in found.photos.values()} == {"plane", "train"}


def test_a_class_that_a_split_lacks_is_said_before_anything_is_prepared():
    members = names("train/{label}/{n}.jpg", ("ant", "bee")) + names(
        "test/{label}/{n}.jpg", ("ant", "bee", "wasp")
    )
    (warning,) = arrange(members, Path("x.zip")).warnings
    assert warning == "class wasp is only in test: none of it in train"


def test_very_unequal_classes_are_warned_about():
    members = names("rose/{n}.jpg", ("",), 31) + names("tulip/{n}.jpg", ("",), 3)
    (warning,) = arrange(members, Path("x.zip")).warnings
    assert "31 photos of rose, 3 of tulip" in warning
    assert "balanced accuracy" in warning
    assert not arrange(members[1:], Path("x.zip")).warnings


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_folder_or_zip_with_a_table_is_prepared_with_its_classes_in_order(tmp_path, kind):
    members = {f"pictures/{n}.jpg": photo(n) for n in range(60)}
    rows = [f"pictures/{n}.jpg;{('wasp', 'ant', 'bee')[n % 3]}" for n in range(60)]
    members["labels.csv"] = "\n".join(["file;label", *rows]).encode()
    given = tmp_path / "given"
    if kind == "zip":
        write_zip(given, members)
    else:
        for name, content in members.items():
            (given / name).parent.mkdir(parents=True, exist_ok=True)
            (given / name).write_bytes(content)
    params = data_params(archive=str(given))
    fetch(params, tmp_path / "source.zip")
    prepare(tmp_path / "source.zip", tmp_path / "out", params, workers=1)
    data = json.loads((tmp_path / "out/data.json").read_text())
    assert data["classes"] == list(data["counts"]["train"]) == ["ant", "bee", "wasp"]
    manifest = (tmp_path / "out/manifest.csv").read_text().splitlines()[1:]
    train = [row.split(",") for row in manifest if row.split(",")[2] == "train"]
    labels = np.load(tmp_path / "out/train_labels.npy")
    assert [("ant", "bee", "wasp")[label] for label in labels] == [row[1] for row in train]
    assert all(row[1] == ("wasp", "ant", "bee")[int(Path(row[0]).stem) % 3] for row in train)


def test_a_class_of_few_photos_or_in_one_split_only_is_refused_by_name(tmp_path):
    members = {f"{label}/{n}.jpg": photo((label, n)) for label in FLOWERS for n in range(20)}
    few = {name: content for name, content in members.items() if name not in names("rose/{n}.jpg")}
    few = {n: c for n, c in few.items() if not n.startswith("rose") or n == "rose/9.jpg"}
    only = {f"train/{n}": c for n, c in members.items() if "rose" not in n}
    only |= {f"test/{n}": c for n, c in members.items() if n.endswith("1.jpg")}
    for wrong in (few, only):
        write_zip(tmp_path / "source.zip", wrong)
        with pytest.raises(InputError, match=r"class rose(.|\n)*data\.classes"):
            prepare(tmp_path / "source.zip", tmp_path / "out", data_params(), workers=1)


def test_only_animals_that_can_be_drawn_are_drawn(tmp_path):
    params = data_params(3, 1, 1, source="drawn", archive=None, classes=["bear", "horse"])
    with pytest.raises(InputError, match=r"data\.classes(.|\n)*rabbit(.|\n)*horse"):
        fetch(params, tmp_path / "source.zip")
