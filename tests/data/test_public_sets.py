"""Public sets of photos as their archives are laid out, from a server on this machine."""

import json
from collections import Counter

import pytest
from archives import data_params, encoded, photo, picture
from awkward_server import Manners, serve
from test_pack import write_tar

from convlens.data.ingest import prepare
from convlens.data.layout import arrange
from convlens.data.sources import DOWNLOADS, fetch
from convlens.errors import InputError
from convlens.files import read_csv, sha256

FLOWERS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
BREEDS = ("Abyssinian", "american_pit_bull_terrier", "wheaten_terrier")
MEMBERS = {
    "flowers": {f"flower_photos/{kind}/{n}_9c.jpg": photo((kind, n))
                for kind in FLOWERS for n in range(20)}
    | {"flower_photos/LICENSE.txt": b"by many hands"},
    "pets": {f"images/{breed}_{n}.jpg": photo((breed, n)) for breed in BREEDS for n in range(1, 13)}
    | {"images/Abyssinian_1.mat": b"MATLAB 5.0", "images/Abyssinian_101.jpg": b"no photo at all",
       "images/Abyssinian_34.jpg": photo("gif", "GIF"),
       "images/wheaten_terrier_40.jpg": encoded(picture("cmyk").convert("CMYK"))},
}  # fmt: skip


@pytest.fixture(params=["flowers", "pets"])
def public(request, tmp_path):
    """The set's name, its archive here, and how to fetch it from a server with these manners."""
    archive = write_tar(tmp_path / "public.tgz", MEMBERS[request.param])
    params = data_params(source=request.param, archive=None)

    def get(manners, out=tmp_path / "raw/source.zip", **changes):
        with serve(manners) as url:
            return fetch(
                params.model_copy(update=changes), out, mirror=url.removesuffix("/pets.zip"),
                digests=tmp_path / "digests.json",
            )  # fmt: skip

    return request.param, archive, get


def test_the_first_download_pins_what_every_later_one_must_be(public, tmp_path):
    name, archive, get = public
    (tmp_path / "digests.json").write_text('{"https://other": "0"}\n')
    out, manners = tmp_path / "raw/source.zip", Manners(archive.read_bytes())
    first = get(manners)
    address = DOWNLOADS[name].url
    assert manners.lines == [f"/{address.split('/')[-1]}"]
    pinned = {"https://other": "0", address: sha256(archive)}
    assert json.loads((tmp_path / "digests.json").read_text()) == pinned
    assert [path.name for path in out.parent.iterdir() if path.suffix != ".lock"] == ["source.zip"]
    assert get(manners) == first == sha256(out)

    write_tar(archive, MEMBERS[name] | {"changed.txt": b"since"})
    with pytest.raises(InputError) as caught:
        get(Manners(archive.read_bytes()))
    for said in (address.split("/")[-1], pinned[address], sha256(archive), "digests.json"):
        assert said in str(caught.value)
    assert json.loads((tmp_path / "digests.json").read_text()) == pinned
    assert sha256(out) == first
    get(Manners(archive.read_bytes()), sha256=sha256(archive))  # the user's word goes before


def test_what_was_pinned_and_arrived_before_a_kill_is_not_fetched_again(public, tmp_path):
    name, archive, get = public
    get(Manners(archive.read_bytes()))
    (tmp_path / "raw" / DOWNLOADS[name].url.split("/")[-1]).write_bytes(archive.read_bytes())
    manners = Manners(b"")
    get(manners)
    assert not manners.lines


def test_an_unsafe_archive_is_neither_pinned_nor_kept(public, tmp_path):
    name, archive, get = public
    write_tar(archive, MEMBERS[name], link="flower_photos/roses/link.jpg")
    with pytest.raises(InputError, match="a link or a special file"):
        get(Manners(archive.read_bytes()))
    assert not (tmp_path / "digests.json").exists()
    assert [path for path in (tmp_path / "raw").iterdir() if path.suffix != ".lock"] == []


def test_their_classes_are_read_from_folders_and_from_names(public, tmp_path):
    name, archive, get = public
    get(Manners(archive.read_bytes()))
    params = data_params(source=name, archive=None)
    prepare(tmp_path / "raw/source.zip", tmp_path / "out", params, workers=1)
    kinds = FLOWERS if name == "flowers" else BREEDS
    data = json.loads((tmp_path / "out/data.json").read_text())
    assert tuple(data["classes"]) == kinds
    assert data["accounting"]["entries"] == len(MEMBERS[name])
    assert data["ignored"] == {"not named like a photo": 1}
    assert data["accounting"]["quarantine"] == (name == "pets")
    labels = Counter(row["label"] for row in read_csv(tmp_path / "out/manifest.csv"))
    expected = Counter(kind for member in MEMBERS[name] if member.endswith(".jpg")
                       for kind in kinds if kind in member and "101" not in member)  # fmt: skip
    assert labels == expected


@pytest.mark.parametrize(
    ("members", "classes"),
    [
        ([f"pets/sea_lion_{n}.jpg" for n in (1, 2)] + ["pets/eel_1.jpg", "pets/eel_2.jpg"],
         ("eel", "sea_lion")),
        ([f"{s}/{c}_{n}.jpg" for s in ("train", "test") for c in "ab" for n in (1, 2)], ("a", "b")),
        ([f"{c}.{n}.jpg" for c in ("cat", "dog", "eel") for n in (1, 2)], ("cat", "dog", "eel")),
        ([f"{c}_{n:04}.JPG" for c in ("IMG", "DSC") for n in (1, 2)], None),
        ([f"img_{c}_{n}.jpg" for c in "ab" for n in (1, 2)], None),
        ([f"2021_0{m}_{n}.jpg" for m in (8, 9) for n in (1, 2)], None),
        ([f"{c}_{n}.jpg" for c in "ab" for n in (1, 2)] + ["cover.jpg"], None),
        (["a_1.jpg", "a_2.jpg", "b_1.jpg"], None),
        (["a_1.jpg", "a_2.jpg"], None),
    ],
)  # fmt: skip
def test_names_are_classes_only_where_they_can_mean_nothing_else(tmp_path, members, classes):
    if classes is None:
        with pytest.raises(InputError, match="none of which fits"):
            arrange(members, tmp_path / "x.zip")
    else:
        found = arrange(members, tmp_path / "x.zip")
        assert found.classes == classes
        assert sorted(found.photos) == sorted(members)
