"""Layouts as people have them: class folders at any one depth, splits by their many names."""

from pathlib import Path

import pytest

from convlens.data.layout import LAYOUTS, arrange, split_of
from convlens.errors import InputError


def names(form, count=2, start=0):
    return [
        form.format(label=label, n=n)
        for label in ("cat", "dog")
        for n in range(start, start + count)
    ]


def said(members, asked=None):
    with pytest.raises(InputError) as caught:
        arrange(members, Path("pets"), asked)
    return str(caught.value)


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("training_set", "train"), ("Train", "train"), ("train-images", "train"),
        ("trainset", "train"), ("test_set", "test"), ("testing", "test"), ("TEST DATA", "test"),
        ("valid", "validation"), ("val", "validation"), ("validation_set", "validation"),
        ("dev", "validation"), ("batch1", None), ("tested", None), ("value", None),
    ],
)  # fmt: skip
def test_splits_are_known_by_their_usual_names(folder, split):
    assert split_of(folder) == split


@pytest.mark.parametrize(
    ("forms", "splits"),
    [
        (["training_set/{label}s/{n}.jpg", "test_set/{label}s/{n}.jpg"], {"train", "test"}),
        (["a/b/c/train/{label}/{n}.jpg", "a/b/c/val/{label}/{n}.jpg"], {"train", "validation"}),
        (["x/training_set/training_set/{label}s/{n}.jpg"], {"train"}),
        (["{label}s/train/{n}.jpg", "{label}s/test/{n}.jpg"], {"train", "test"}),
        (["{label}s/persian or husky/{n}.jpg", "{label}s/{n}.jpg"], {None}),
        (["pets/archive/{label}s/{n}.heic"], {None}),
        (["training_set/{label}.{n}.jpg", "test_set/{label} ({n}).jpg"], {"train", "test"}),
    ],
)
def test_unambiguous_layouts_are_read_at_any_depth(forms, splits):
    members = [name for form in forms for name in names(form)]
    found = arrange(members, Path("pets"))
    assert {place.split for place in found.photos.values()} == splits
    assert sorted(found.photos) == sorted(members)
    assert all(place.label in name for name, place in found.photos.items())
    assert not found.warnings


@pytest.mark.parametrize("form", ["{label}s/{n}.jpg", "{label}.{n}.jpg"])
def test_outer_folders_that_are_no_splits_are_refused_by_name(form):
    batches = [name for b in ("batch1", "batch2") for name in names(f"{b}/{form}")]
    message = said(batches)
    assert "batch1 (4 photos), batch2 (4 photos)" in message
    assert "rename" in message
    assert "extra (4 photos)" in said(names(f"train/{form}") + names(f"extra/{form}"))


def test_class_folders_at_two_depths_are_refused_with_both():
    message = said(names("{label}s/{n}.jpg") + names("more/{label}s/{n}.jpg", 3))
    assert "4 photos in cats" in message
    assert "6 photos in more/cats" in message


def test_a_folder_beside_the_classes_named_is_left_out_by_name_and_count():
    members = [f"afhq/train/{label}/{n}.jpg" for label in ("cat", "dog", "wild") for n in range(4)]
    found = arrange(members, Path("afhq.zip"), ["cat", "dog"])
    assert len(found.photos) == 8
    assert found.ignored == dict.fromkeys(members[8:], "in a folder of no class")
    assert "4 photos left out" in found.warnings[0]
    assert "wild (4)" in found.warnings[0]


def test_most_photos_outside_the_layout_are_warned_about():
    found = arrange([*names("{label}s/{n}.jpg"), *(f"{n}.jpg" for n in range(48))], Path("x"))
    assert found.layout == LAYOUTS[1]
    assert found.warnings[-1] == "most photos are left out: 48 of 52"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([f"holiday/a/{n}.jpg" for n in range(3)],
         ["3 photos (3 .jpg)", "3 in holiday/a", "2 folders deep", "cats/0.jpg"]),
        (["train.zip", "test1.zip"], ["2 archives inside: test1.zip, train.zip", "unpack"]),
        (["notes.txt", "b.csv"], ["1 .csv, 1 .txt", "no photo"]),
        ([], ["nothing"]),
        ([*(f"cats/{n}.jpg" for n in range(2)), "puppies/1.jpg"],
         ["no dog among 2 photos", "1 in puppies", "name one so: puppies"]),
    ],
)  # fmt: skip
def test_what_is_there_is_said_when_nothing_fits(members, words):
    message = said(members, ["cat", "dog"])
    for word in words:
        assert word in message


def test_hidden_files_and_thumbnails_of_systems_are_no_photos():
    stray = [
        "cats/.ipynb_checkpoints/0.jpg", "__MACOSX/cats/0.jpg", "cats/@eaDir/0.jpg", "cats/._1.jpg"
    ]  # fmt: skip
    found = arrange([*names("{label}s/{n}.jpg"), *stray], Path("x"))
    assert found.ignored == dict.fromkeys(stray, "hidden")
