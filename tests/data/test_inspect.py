"""`convlens inspect` finds what `prepare` would, in zips and folders, and changes nothing."""

import json
import zipfile

import numpy as np
import pytest
from archives import class_folders, data_params, encoded, photo, picture, traps, write_zip
from click.testing import CliRunner
from PIL import Image

from convlens.cli import main
from convlens.data.ingest import prepare
from convlens.data.inspect import inspect, table
from convlens.errors import InputError
from convlens.files import read_csv


def test_it_agrees_with_prepare(tmp_path) -> None:
    source = write_zip(tmp_path / "pets.zip", traps())
    found = inspect(source, workers=1)
    prepare(source, tmp_path / "out", data_params(), workers=1)
    quarantine = read_csv(tmp_path / "out" / "quarantine.csv")
    assert found.quarantine == [{"path": r["path"], "reason": r["reason"]} for r in quarantine]
    usable = sum(sum(counts.values()) for counts in found.counts.values())
    assert usable + len(found.quarantine) + sum(found.ignored.values()) == found.entries
    assert ["PetImages/Cat/both.jpg", "PetImages/Dog/both.jpg"] in found.alike
    assert ["PetImages/Dog/again.jpg", "PetImages/dog/5.jpg"] in found.alike
    assert len(found.alike) == 3
    assert found.formats == {"BMP": 1, "GIF": 1, "JPEG": usable - 3, "PNG": 1}
    assert found.width == found.height == (48, 48, 48)


def test_a_folder_is_inspected_as_its_zip_would_be(tmp_path) -> None:
    source = write_zip(tmp_path / "pets.zip", class_folders(3))
    with zipfile.ZipFile(source) as archive:
        archive.extractall(tmp_path / "pets")
    of_folder, of_zip = inspect(tmp_path / "pets", workers=1), inspect(source, workers=1)
    assert of_folder.counts == of_zip.counts == {"(no split)": {"cat": 3, "dog": 3}}


def test_command_line_prints_a_table_or_json(tmp_path) -> None:
    source = write_zip(tmp_path / "pets.zip", traps())
    shown = CliRunner().invoke(main, ["inspect", str(source)])
    assert shown.exit_code == 0
    assert shown.stdout.strip() == table(inspect(source, workers=1))
    assert "PetImages/Dog/cut.jpg: truncated" in shown.stdout
    found = json.loads(CliRunner().invoke(main, ["inspect", str(source), "--json"]).stdout)
    assert found["counts"]["(no split)"]["cat"] == 24
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pets.zip"]


def test_a_bad_archive_is_one_message(tmp_path) -> None:
    result = CliRunner().invoke(main, ["inspect", str(tmp_path / "nowhere.zip")])
    assert result.exit_code == 2
    assert "no such file" in result.stderr


def test_photos_of_8_bits_in_16_are_pointed_out_as_almost_black(tmp_path) -> None:
    members = class_folders(3)
    for n in range(2):
        levels = np.asarray(picture(n).convert("L")).astype(np.uint16)
        members[f"cats/dark{n}.png"] = encoded(Image.fromarray(levels), "PNG")
    found = inspect(write_zip(tmp_path / "a.zip", members), workers=1)
    assert found.dark == ["cats/dark0.png", "cats/dark1.png"]
    assert "2 photos almost black, e.g. cats/dark0.png" in table(found).split("\n\n")[0]


def test_messages_name_what_the_user_named(tmp_path) -> None:
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets/a.jpg").write_bytes(photo("a"))
    with pytest.raises(InputError) as caught:
        inspect(tmp_path / "pets")
    assert caught.value.where == str(tmp_path / "pets")
