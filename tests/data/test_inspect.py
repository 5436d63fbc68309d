"""`convlens inspect` finds what `prepare` would, in zips and folders, and changes nothing."""

import json
import zipfile

from archives import class_folders, data_params, traps, write_zip
from click.testing import CliRunner

from convlens.cli import main
from convlens.data.ingest import prepare
from convlens.data.inspect import inspect, table
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
