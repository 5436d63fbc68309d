"""convlens explain: pictures for the good photos, a reason for the bad ones."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from convlens import cli_explain, params
from convlens.cli import main
from convlens.errors import InputError
from convlens.models import convnet, keras_file, vgg16_imagenet

PICTURES = ["activations.png", "heatmap.png", "summary.png"]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """Both models' files, though both are small convnets with fresh weights."""
    folder = tmp_path_factory.mktemp("models")
    real = params.load(Path(__file__).resolve().parents[1] / "params.yaml")
    for seed, name in enumerate(("convnet", "vgg16")):
        net = convnet.build(real.convnet.model_copy(update={"seed": seed}), 48)
        keras_file.save(net, folder / name / "model.keras")
    return folder


@pytest.fixture
def photos(tmp_path, monkeypatch) -> Path:
    """Three photos, two of one name, one of them flat; an HTML page; all in the working folder."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    (tmp_path / "more").mkdir()
    for name in ("a.png", "more/a.jpg"):
        Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(name)
    Image.new("RGB", (50, 50), "white").save("more/flat.png")
    Path("broken.jpg").write_bytes(b"<html>not found</html>")
    return tmp_path


def explain(*words):
    return CliRunner().invoke(main, ["explain", *map(str, words)])


def test_good_photos_get_their_pictures_and_bad_ones_a_reason(photos, models):
    words = ["a.png", "broken.jpg", "more", "missing.jpg", "--model", "convnet"]
    result = explain(*words, "--models", models, "--out", "out")
    assert result.exit_code == 1, result.output
    assert "broken.jpg: not an image" in result.stderr
    assert "missing.jpg: No such file" in result.stderr
    assert sorted(path.name for path in (photos / "out").iterdir()) == ["a", "a_2", "flat"]
    for name in ("a", "a_2", "flat"):
        folder = photos / "out" / name / "convnet"
        assert sorted(path.name for path in folder.iterdir()) == PICTURES
    with Image.open(photos / "out/a/convnet/summary.png") as page:
        assert np.ptp(np.asarray(page.convert("L"))) > 200


def test_both_models_are_also_laid_over_each_other(photos, models):
    assert explain("a.png", "--model", "both", "--models", models, "--out", "out").exit_code == 0
    found = {
        path.relative_to(photos / "out/a").as_posix() for path in photos.rglob("out/a/**/*.png")
    }
    assert found == {
        "both.png",
        *(f"{m}/{picture}" for m in ("convnet", "vgg16") for picture in PICTURES),
    }


def test_without_a_photo_it_is_chelsea_and_every_channel_can_be_drawn(photos, models):
    words = ["--model", "convnet", "--channels", "--method", "layer-cam", "--layer", "pool3"]
    result = explain(*words, "--models", models, "--out", "out")
    assert result.exit_code == 0, result.output
    assert "chelsea.png: convnet says" in result.stdout
    grids = {path.stem for path in (photos / "out/chelsea/convnet/channels").glob("0*.png")}
    numbered = (f"{2 * n - 1:02d}_conv{n} {2 * n:02d}_pool{n}" for n in range(1, 5))
    assert grids == set(" ".join(numbered).split())


@pytest.mark.parametrize("layer", ["conv9", "dense"])
def test_an_unusable_layer_is_refused_with_those_that_exist_before_anything_is_written(
    photos, models, layer
):
    words = ["a.png", "--model", "both", "--layer", layer]
    result = explain(*words, "--models", models, "--out", "out")
    assert result.exit_code == 2
    assert "conv1, pool1, conv2" in result.stderr
    assert not (photos / "out").exists()


@pytest.mark.usefixtures("photos")
def test_layer_and_colours_of_the_pipeline_here_are_the_usual_ones(root, models):
    def heatmap(*words):
        words = ["a.png", "--model", "convnet", "--models", models, *words]
        assert explain(*words, "--out", "out").exit_code == 0
        return Path("out/a/convnet/heatmap.png").read_bytes()

    last, second = heatmap(), heatmap("--layer", "conv2")
    assert last != second
    text = (root / "params.yaml").read_text()
    Path("params.yaml").write_text(text)
    assert "convnet: conv2" in text
    assert heatmap() == second
    assert heatmap("--layer", "conv4") == last
    Path("params.yaml").write_text(text.replace("colormap: viridis", "colormap: plasma"))
    assert heatmap() != second


@pytest.mark.usefixtures("photos")
def test_a_trained_vgg16_comes_before_the_ready_model(models, monkeypatch):
    asked = []

    def load(name, *_):
        asked.append(name)
        raise InputError(name, expected="", found="", fix="")

    monkeypatch.setattr(cli_explain, "_load", load)
    explain("a.png", "--models", models)
    explain("a.png", "--models", "nothing here")
    assert asked == ["vgg16", "ready"]


@pytest.mark.usefixtures("photos")
def test_without_a_trained_model_the_message_says_what_to_run():
    result = explain("a.png", "--model", "convnet")
    assert result.exit_code == 2
    assert "make repro" in result.stderr


def test_without_full_weights_the_message_says_how_to_get_them(photos, monkeypatch):
    def refuse(url, *_, **__):
        raise InputError(url, expected="a file", found="no network", fix="")

    monkeypatch.setattr(vgg16_imagenet, "download", refuse)
    monkeypatch.setenv("KERAS_HOME", str(photos))
    result = explain("a.png", "--model", "imagenet-vgg16")
    assert result.exit_code == 2
    for part in ("no network", vgg16_imagenet.URL, "imagenet.weights", str(photos / "models")):
        assert part in result.stderr


def test_every_photo_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["a/cat.jpg", "b/cat.jpg", "c/cat_2.jpg", "d/cat_2.jpg"]
    for name in names:
        Path(name).parent.mkdir()
        Path(name).touch()
    folders = [folder for _, folder in cli_explain._places([*map(Path, names)], Path("out"))]
    assert len(set(folders)) == 4
    assert folders[:2] == [Path("out/cat"), Path("out/cat_2")]


def test_an_output_that_cannot_be_written_is_one_error(photos, models):
    (photos / "taken").touch()
    result = explain("a.png", "--model", "convnet", "--models", models, "--out", "taken/here")
    assert result.exit_code == 2
    assert "found:    Not a directory" in result.stderr
