"""The page as text: complete, escaped, the same twice."""

import base64
import io
import re
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from convlens.evaluation.summary import summary
from convlens.files import read_json, write_csv, write_json
from convlens.report.build import page


def test_the_same_files_give_the_same_bytes(run, html):
    assert page(run, summary(run, ("convnet", "vgg16"), 0.95)) == html


def test_names_of_photos_are_text_and_never_markup(html):
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;&amp;.jpg" in html


def test_paths_of_label_suspects_are_escaped(run):
    rows = [{"path": "<b>1</b>.jpg", "label": "cat", "predicted": "dog"}]
    write_csv(run / "reports/label_suspects.csv", ("path", "label", "predicted"), rows)
    html = page(run, summary(run, ("convnet", "vgg16"), 0.95))
    assert "&lt;b&gt;1&lt;/b&gt;.jpg" in html
    assert "<b>1" not in html


def test_nothing_is_asked_for_from_outside(html):
    links = re.findall(r'(?:src|href|srcset|action)="([^"]*)"', html) + re.findall(
        r"url\(([^)]*)\)", html
    )
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "default-src 'none'" in html


def test_every_picture_can_be_decoded_has_its_size_and_a_text(html):
    images = re.findall(
        r'<img src="data:image/webp;base64,([^"]+)" alt="([^"]*)" width="(\d+)"', html
    )
    assert len(images) == html.count("<img src=") - 1  # the dialog's is empty
    for content, alt, width in images:
        with Image.open(io.BytesIO(base64.b64decode(content))) as image:
            assert image.width == int(width) <= 1120
        assert alt


@pytest.mark.parametrize(("source", "said"), [("drawn", True), ("archive", False)])
def test_it_says_plainly_when_the_pictures_are_drawings(run, source, said):
    path = run / "data/prepared/data.json"
    write_json(path, read_json(path) | {"source": source})
    html = page(run, summary(run, ("convnet", "vgg16"), 0.95))
    assert ("The animals on this page are drawings" in html) == said


def test_what_is_missing_is_one_line_and_the_rest_stays(run):
    for model in ("convnet", "vgg16"):
        shutil.rmtree(run / "reports" / model / "explain")
    html = page(run, summary(run, ("convnet", "vgg16"), 0.95))
    for line in ("No activation grids:", "No filter pictures:", "No heatmaps:", "No measurements:",
                 "imagenet.enabled", "No confusion figure:", "Not searched."):  # fmt: skip
        assert line in html
    assert "97.0 %" in html
    assert "manifest-digest" in html


def test_layers_are_in_the_order_of_the_network_and_kernels_come_first(html):
    viewers = re.findall(
        r'class="viewer" id="([\w-]+)".*?(?=class="viewer"|</section>)', html, re.S
    )
    assert viewers == [
        "convnet-layers",
        "vgg16-layers",
        "convnet-filters",
        "vgg16-filters",
        "looks",
    ]
    filters = html.split('id="convnet-filters"')[1].split('class="viewer"')[0]
    assert re.findall(r'data-name="([^"]+)"', filters) == ["first kernels", "conv1", "conv2"]


def test_building_the_page_needs_no_tensorflow(run):
    code = (
        "import sys; from pathlib import Path; from convlens.report.build import page; "
        "from convlens.gallery import both; from convlens.evaluation.summary import summary; "
        "root = Path(sys.argv[1]); page(root, summary(root, ('convnet', 'vgg16'), 0.95)); "
        "assert not {'tensorflow', 'keras', 'mlflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(run)], check=True)


@pytest.mark.parametrize(
    ("nets", "said"),
    [
        (["vgg16"], ["What one network sees: cat or dog?", "How sure it is", "Where it looks"]),
        (["convnet", "vgg16"], ["What two networks see: cat or dog?", "Where they look",
                                ">both models<", "lay their maps over each other"]),
        (["convnet", "vgg16", "other"], ["What three networks see", ">all 3 models<", "compare",
                                         "convnet and vgg16 both get"]),
    ],
)  # fmt: skip
def test_the_words_are_those_of_so_many_models(run, nets, said):
    for place in ("models", "reports"):
        shutil.copytree(run / place / "vgg16", run / place / "other")
    models = {
        net: read_json(run / f"reports/{net}/evaluation/metrics.json")
        | read_json(run / f"models/{net}/metrics.json")
        for net in nets
    }
    html = page(run, {"confidence": 0.95, "models": models, "versions": {}})
    for words in said:
        assert words in html
    assert ("both models" in html) == (len(nets) == 2)
    assert len(set(re.findall(r"--of: (#\w+)", html))) == len(nets)
    assert len(re.findall(r'<th scope="row" class="dot"', html)) == len(nets)
