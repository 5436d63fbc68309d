"""convlens explain --model my.keras: anybody's net, anybody's classes."""

from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from colours import NAMES, net, square
from convlens.cli import main
from convlens.explain.classifier import Classifier
from convlens.gallery.own_photos import Explainer, read


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    net().save(folder / "my.keras")
    net().save(folder / "old.h5")
    net(scale=1).save(folder / "bare.keras")
    (folder / "labels.txt").write_text("\n".join(NAMES) + "\n")
    Image.fromarray(square("red", 4, 20)).save(folder / "red.png")
    Image.fromarray(square("blue", 14, 6)).resize((64, 48)).save(folder / "blue.png")
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, made):
    monkeypatch.chdir(tmp_path)
    for path in made.iterdir():
        Path(path.name).symlink_to(path)


def explain(*words):
    result = CliRunner().invoke(main, ["explain", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_photos_are_explained_by_the_names_of_the_list():
    result = explain("red.png", "blue.png", "--model", "my.keras", "--classes", "labels.txt")
    assert result.exit_code == 0, result.output
    assert "red.png: my says red, " in result.stdout
    assert "blue.png: my says blue, " in result.stdout
    assert result.stderr == ""
    written = {path.as_posix() for path in Path("explained").rglob("*.png")}
    pages = ("summary", "heatmap", "activations")
    assert written == {f"explained/{c}/my/{p}.png" for c in ("red", "blue") for p in pages}


def test_without_names_classes_have_numbers_and_an_old_file_is_named():
    result = explain("blue.png", "--model", "old.h5", "--raw")
    assert "blue.png: old says class 2, " in result.stdout
    assert "old.h5: Keras' older format" in result.stderr
    assert Path("explained/blue/old/arrays.npz").is_file()


def test_the_page_has_the_class_asked_for_and_then_the_likeliest(made):
    classifier = Classifier.load(made / "my.keras", classes=NAMES)
    seen = Explainer(classifier, label=1).see(read(made / "blue.png", classifier))
    assert [look.caption.split(",")[0] for look in seen.looks] == ["green", "blue", "red"]
    alone = Explainer(classifier).see(read(made / "blue.png", classifier)).looks[0]
    np.testing.assert_allclose(seen.looks[1].heat, alone.heat, rtol=0, atol=1e-6)
    result = explain("blue.png", "--model", "my.keras", "--class", "1")
    assert "my says class 1, " in result.stdout


def test_a_range_in_which_the_net_sees_nothing_is_warned_of():
    for model, right in (("my.keras", "0..255"), ("bare.keras", "0..1")):
        assert explain("red.png", "--model", model, "--range", right).stderr == ""
    result = explain("red.png", "--model", "my.keras", "--range", "0..1")
    assert result.exit_code == 0
    assert "says nearly the same of noise as of the photo" in result.stderr
    assert "another --range (-1..1, 0..255" in result.stderr


def test_a_net_that_is_sure_of_everything_is_warned_of():
    model = net("linear")
    model.get_layer("answer").set_weights([0 * np.eye(3), np.array([0, 99, 0])])
    bright = keras.Sequential([keras.Input((24, 32, 3)), keras.layers.Rescaling(99), model])
    bright.layers[-1].get_layer("answer").set_weights([1e3 * np.eye(3), np.array([0, 1e6, 0])])
    bright.save("sure.keras")
    result = explain("red.png", "--model", "sure.keras")
    assert "perfectly sure whatever it sees" in result.stderr


def test_the_method_of_params_yaml_is_the_usual_one(root):
    def drawn(*words):
        assert explain("red.png", "--model", "my.keras", *words).exit_code == 0
        return Path("explained/red/my/heatmap.png").read_bytes()

    usual = drawn()
    text = (root / "params.yaml").read_text()
    assert "method: grad-cam " in text or "method: grad-cam\n" in text
    Path("params.yaml").write_text(text.replace("method: grad-cam", "method: layer-cam", 1))
    assert drawn() == drawn("--method", "layer-cam") != usual
    assert drawn("--method", "grad-cam") == usual


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "nonsense"], "a .keras or .h5 file, or one of both, convnet"),
        (["--model", "missing.keras"], "no such file"),
        (["--model", "my.keras", "--class", "rad", "--classes", "labels.txt"], "for example red"),
        (["--model", "my.keras", "--classes", "red.png"], "red.png"),
        (["--model", "my.keras", "--layer", "nix"], "one of scale, find"),
        (["--model", "ready", "--range", "0..1"], "with a model file"),
    ],
)
def test_a_mistake_is_one_message_before_anything_is_written(words, said):
    result = explain("red.png", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not Path("explained").exists()


def test_predict_refuses_a_net_whose_classes_have_no_names(made):
    Path("models/vgg16").mkdir(parents=True)
    Path("models/vgg16/model.keras").symlink_to(made / "my.keras")
    result = CliRunner().invoke(main, ["predict", "red.png"])
    assert result.exit_code == 2
    assert "models/vgg16/classes.json" in result.stderr
    assert "the names of the model's 3 classes" in result.stderr
