"""Time both trainings against the recipes people would copy: same photos, same machine, one run.

    python benchmarks/training_speed.py [--rounds 2]

Run a pipeline at 150 pixels first: photos and the base's weights are those of the last
`dvc repro`. Contenders take turns, each in a process of its own; an epoch is all training images
and all validation images. The base on every augmented image is slow, so it is timed on a fifth of
the photos and scaled. ConvLens decodes once, which counts for VGG16 as a whole. Writes
benchmarks/results.json and docs/bench.png; PyTorch runs if it is installed.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from statistics import median
from typing import Any

import click

from convlens import params, runtime
from convlens.files import read_csv, read_json, write_json
from convlens.gallery import style
from convlens.text import aligned

HERE, FIGURE = Path(__file__).parent, Path("docs/bench.png")
PREPARED, ARCHIVE = Path("data/prepared"), Path("data/raw/source.zip")
USAGE = Path(".convlens/usage/prepare.json")
CONTENDERS = ("tutorial", "idiomatic", "pytorch", "convlens_")
TITLES = {
    "tutorial": "tutorials' recipe",
    "idiomatic": "Keras' guides",
    "pytorch": "PyTorch's guides",
    "convlens_": "ConvLens",
}
SIDE = 150
EPOCHS = 30  # of augmented VGG16
BATCHES = (32, 64, 128)
GFLOP = {"convnet": 0.472, "vgg16": 13.2}  # two a multiply-add; forward, one 150 × 150 image


@click.command(help=__doc__)
@click.option("--rounds", default=1, show_default=True, help="how often each contender runs")
def main(rounds: int) -> None:
    """Measure, print a table, write results and figure."""
    given = params.load(Path("params.yaml"))
    machine = runtime.describe(given.runtime)
    data = read_json(PREPARED / "data.json")
    if data["image_size"] != SIDE:
        sys.exit(f"bench: photos of {data['image_size']} pixels; wants {SIDE}: run `make photos`")
    contenders = [name for name in CONTENDERS if name != "pytorch" or _has("torchvision")]
    found: dict[str, dict[str, list[Any]]] = {"convnet": {}, "vgg16": {}}
    with tempfile.TemporaryDirectory() as folder:
        whole, fifth = Path(folder) / "whole", Path(folder) / "fifth"
        share = _lay_out(whole, 1)["train"] / _lay_out(fifth, 5)["train"]
        for turn in range(rounds):
            for name in contenders:
                _say(f"round {turn + 1} of {rounds}: {TITLES[name]}")
                convnet = _run(name, "convnet", whole, 3)
                found["convnet"].setdefault(name, []).append(convnet)
                ours = name == "convlens_"
                vgg16 = _run(name, "vgg16", fifth, EPOCHS if ours else 2)
                vgg16["seconds"] = [s if ours else s * share for s in vgg16["seconds"]]
                found["vgg16"].setdefault(name, []).append(vgg16)
        limits = _limits(machine.precision)
        limits["waiting"] = _run("convlens_", "waiting", whole, 1)["waiting"]
    result = {
        "command": "python benchmarks/training_speed.py",
        "machine": machine.record(),
        "data": data["counts"],
        "ceiling_gflops": limits["ceiling"],
        "plain_forward_images_per_s": limits["forward"],
        **_tables(found, limits),
    }
    write_json(HERE / "results.json", result)
    _draw(result)
    _show(result)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _lay_out(folder: Path, every: int) -> dict[str, int]:
    """Unpack every so many-th photo as folders of classes; return the number in each split."""
    counts: dict[str, int] = {}
    rows = [row for row in read_csv(PREPARED / "manifest.csv") if row["split"] != "test"]
    with zipfile.ZipFile(ARCHIVE) as archive:
        for number, row in enumerate(rows):
            if number % every:
                continue
            out = folder / row["split"] / row["label"] / f"{number}.jpg"
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(archive.read(row["path"]))
            counts[row["split"]] = counts.get(row["split"], 0) + 1
    return counts


def _run(script: str, *arguments: object) -> dict[str, Any]:
    command = [sys.executable, HERE / "contenders" / f"{script}.py", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench: {script} failed:\n{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _limits(precision: str) -> dict[str, Any]:
    _say("the machine's ceiling, and plain Keras")
    ceiling = {}
    for kind in ("float32", "bfloat16"):
        product = _run("machine", "ceiling", kind)
        ceiling[kind] = round(product["gflop"] / min(product["seconds"]))
    forward = {}
    for batch in BATCHES:
        plain = _run("machine", "forward", precision, batch)
        forward[str(batch)] = round(plain["images"] / min(plain["seconds"]), 1)
    return {"ceiling": ceiling, "forward": forward}


def _tables(
    found: dict[str, dict[str, list[Any]]], limits: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    counts = read_json(PREPARED / "data.json")["counts"]
    train, validation = (sum(counts[split].values()) for split in ("train", "validation"))
    work = 3 * train + validation  # a step back costs about two forward

    def row(
        rounds: list[Any], seconds: float, gflop: float, precision: str, epochs: int = 1
    ) -> dict[str, Any]:
        rate = gflop / seconds
        return {
            "seconds": round(seconds, 2),
            "images_per_s": round(epochs * (train + validation) / seconds, 1),
            "gflops": round(rate),
            "share_of_ceiling": round(rate / limits["ceiling"][precision], 3),
            "peak_memory_mb": max(run["peak_memory_mb"] for run in rounds),
            "precision": precision,
        }

    convnet = {}
    for name, rounds in found["convnet"].items():
        epoch = median(s for run in rounds for s in run["seconds"])
        precision = rounds[0].get("precision", "float32")
        convnet[name] = row(rounds, epoch, work * GFLOP["convnet"], precision)
    convnet["convlens_"]["waiting"] = round(limits["waiting"], 4)
    vgg16 = {}
    for name, rounds in found["vgg16"].items():
        precision = rounds[0].get("precision", "float32")
        if name == "convlens_":
            views = rounds[0]["views"]
            features, head = (median(run["seconds"][i] for run in rounds) for i in (0, 1))
            seen = views * train + validation
            decoding = read_json(USAGE)["seconds"]
            whole = decoding + features + head
            total = row(rounds, whole, seen * GFLOP["vgg16"], precision, EPOCHS)
            total["seconds_decoding"] = decoding
            total |= {"seconds_features": round(features, 1), "seconds_head": round(head, 1)}
            total |= {"views": views, "base_images_per_s": round(seen / features, 1)}
        else:
            epoch = median(s for run in rounds for s in run["seconds"])
            total = row(rounds, epoch, (train + validation) * GFLOP["vgg16"], precision)
            total["seconds"] = round(EPOCHS * epoch, 1)
        vgg16[name] = total
    best = max(limits["forward"].values())
    return {
        "convnet_epoch": convnet,
        f"vgg16_{EPOCHS}_epochs": vgg16,
        "ratios": {
            "convnet_epoch": _ratio(convnet),
            "vgg16": _ratio(vgg16),
            "base_forward": round(vgg16["convlens_"]["base_images_per_s"] / best, 3),
        },
    }


def _ratio(rows: dict[str, Any]) -> dict[str, float]:
    ours = rows["convlens_"]["seconds"]
    return {name: round(row["seconds"] / ours, 2) for name, row in rows.items()}


def _show(result: dict[str, Any]) -> None:
    for what in ("convnet_epoch", f"vgg16_{EPOCHS}_epochs"):
        rows = [(what, "seconds", "×", "images/s", "GFLOP/s", "of ceiling", "peak MB", "precision")]
        for name, row in result[what].items():
            ratio = result["ratios"]["convnet_epoch" if what == "convnet_epoch" else "vgg16"][name]
            numbers = (f"{row['images_per_s']:.0f}", str(row["gflops"]))
            share = f"{row['share_of_ceiling']:.0%}"
            memory = str(row["peak_memory_mb"])
            cells = (f"{row['seconds']:.1f}", f"{ratio:.1f}", *numbers, share, memory)
            rows.append((TITLES[name], *cells, row["precision"]))
        print(aligned(rows), end="\n\n")
    ours = result[f"vgg16_{EPOCHS}_epochs"]["convlens_"]
    print(
        f"VGG16's base: {ours['base_images_per_s']} images/s, everything included, against "
        f"{max(result['plain_forward_images_per_s'].values())} of plain Keras at its best batch "
        f"size; {EPOCHS} epochs of the head on {ours['views']} cached views of each "
        f"photo: {ours['seconds_head']} s; share "
        f"of a convnet step spent waiting: {result['convnet_epoch']['convlens_']['waiting']:.1%}"
    )


@style.applied()
def _draw(result: dict[str, Any]) -> None:
    fig = style.figure(9, 2.6)
    panels = {
        "convnet_epoch": ("Convnet: seconds an epoch", 1),
        f"vgg16_{EPOCHS}_epochs": (f"VGG16: minutes for {EPOCHS} epochs", 60),
    }
    for axes, (what, (title, unit)) in zip(fig.subplots(1, 2), panels.items(), strict=True):
        rows = result[what]
        values = [row["seconds"] / unit for row in rows.values()]
        colours = [style.VERMILION if name == "convlens_" else style.SKY for name in rows]
        bars = axes.barh([TITLES[name] for name in rows], values, 0.6, color=colours)
        axes.bar_label(bars, [f"{value:.1f}" for value in values], padding=3, color=style.INK)
        axes.invert_yaxis()
        axes.set_title(title)
        axes.margins(x=0.15)
        axes.grid(visible=False, axis="y")
    style.save(fig, FIGURE)


if __name__ == "__main__":
    main()
