"""Time both trainings against the recipes people would copy: same photos, same machine, one run.

    python benchmarks/training_speed.py [--rounds 2]

Run a pipeline at 150 pixels first: photos and the base's weights are those of the last
`dvc repro`. Contenders take turns, each in a process of its own; an epoch is all training images
and all validation images. The base on every augmented image is slow, so it is timed on a fifth of
the photos and scaled. ConvLens decodes once, which counts for VGG16 as a whole. Writes
benchmarks/results_PRECISION.json, by the best precision of the machine, and docs/bench.png; PyTorch
runs if it is installed. ConvLens runs in each precision that the machine computes.
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
OTHERS = ("tutorial", "idiomatic", "pytorch")
TITLES = {
    "tutorial": "tutorials' recipe",
    "idiomatic": "Keras' guides",
    "pytorch": "PyTorch's guides",
    "convlens_ float32": "ConvLens, float32",
    "convlens_ bfloat16": "ConvLens, bfloat16",
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
    ours = [f"convlens_ {precision}" for precision in sorted({"float32", machine.precision})]
    contenders = [*(name for name in OTHERS if name != "pytorch" or _has("torchvision")), *ours]
    found: dict[str, dict[str, list[Any]]] = {"convnet": {}, "vgg16": {}}
    with tempfile.TemporaryDirectory() as folder:
        whole, fifth = Path(folder) / "whole", Path(folder) / "fifth"
        share = _lay_out(whole, 1)["train"] / _lay_out(fifth, 5)["train"]
        for turn in range(rounds):
            for name in contenders:
                _say(f"round {turn + 1} of {rounds}: {TITLES[name]}")
                convnet = _run(name, "convnet", whole, 3)
                found["convnet"].setdefault(name, []).append(convnet)
                vgg16 = _run(name, "vgg16", fifth, EPOCHS if name in ours else 2)
                vgg16["seconds"] = [s * (share, 1)[name in ours] for s in vgg16["seconds"]]
                found["vgg16"].setdefault(name, []).append(vgg16)
        limits = {name.split()[1]: _limits(name) for name in ours}
    result = {
        "command": "python benchmarks/training_speed.py",
        "machine": machine.record(),
        "data": data["counts"],
        "limits": limits,
        **_tables(found, limits),
    }
    write_json(HERE / f"results_{machine.precision}.json", result)
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


def _run(name: str, *arguments: object) -> dict[str, Any]:
    script, *precision = name.split()
    command = [sys.executable, HERE / "contenders" / f"{script}.py", *map(str, arguments)]
    done = subprocess.run([*command, *precision], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench: {name} failed:\n{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _limits(name: str) -> dict[str, Any]:
    """Return what one precision of ConvLens is held against: GFLOP/s, plain Keras, its waiting."""
    precision = name.split()[1]
    _say(f"the machine's ceiling, and plain Keras, in {precision}")
    product = _run("machine", "ceiling", precision)
    forward = {}
    for batch in BATCHES:
        plain = _run("machine", "forward", precision, batch)
        forward[str(batch)] = round(plain["images"] / min(plain["seconds"]), 1)
    return {
        "ceiling_gflops": round(product["gflop"] / min(product["seconds"])),
        "plain_forward_images_per_s": forward,
        "waiting": round(_run(name, "waiting", ".", 1)["waiting"], 4),
    }


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
            "share_of_ceiling": round(rate / limits[precision]["ceiling_gflops"], 3),
            "peak_memory_mb": max(run["peak_memory_mb"] for run in rounds),
            "precision": precision,
        }

    convnet = {}
    for name, rounds in found["convnet"].items():
        epoch = median(s for run in rounds for s in run["seconds"])
        precision = rounds[0].get("precision", "float32")
        convnet[name] = row(rounds, epoch, work * GFLOP["convnet"], precision)
    vgg16 = {}
    for name, rounds in found["vgg16"].items():
        precision = rounds[0].get("precision", "float32")
        if name not in OTHERS:
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
    return {
        "convnet_epoch": convnet,
        f"vgg16_{EPOCHS}_epochs": vgg16,
        "ratios": {
            name: {
                "convnet_epoch": _times(convnet, name),
                "vgg16": _times(vgg16, name),
                "base_forward": round(row["base_images_per_s"] / _plain(limits, name), 3),
            }
            for name, row in vgg16.items()
            if name not in OTHERS
        },
    }


def _plain(limits: dict[str, Any], name: str) -> float:
    return float(max(limits[name.split()[1]]["plain_forward_images_per_s"].values()))


def _times(rows: dict[str, Any], ours: str) -> dict[str, float]:
    return {
        name: round(row["seconds"] / rows[ours]["seconds"], 2)
        for name, row in rows.items()
        if name in OTHERS
    }


def _show(result: dict[str, Any]) -> None:
    for what in ("convnet_epoch", f"vgg16_{EPOCHS}_epochs"):
        rows = [(what, "seconds", "images/s", "GFLOP/s", "of ceiling", "peak MB", "precision")]
        for name, row in result[what].items():
            numbers = (f"{row['images_per_s']:.0f}", str(row["gflops"]))
            share = f"{row['share_of_ceiling']:.0%}"
            memory = str(row["peak_memory_mb"])
            cells = (f"{row['seconds']:.1f}", *numbers, share, memory)
            rows.append((TITLES[name], *cells, row["precision"]))
        print(aligned(rows), end="\n\n")
    for name, ratios in result["ratios"].items():
        ours = result[f"vgg16_{EPOCHS}_epochs"][name]
        print(
            f"{TITLES[name]}: convnet {ratios['convnet_epoch']}, VGG16 {ratios['vgg16']} times as "
            f"fast; VGG16's base {ours['base_images_per_s']} images/s, everything included, "
            f"against {_plain(result['limits'], name)} of plain Keras at its best batch size; "
            f"{EPOCHS} epochs of the head on {ours['views']} cached views of each photo: "
            f"{ours['seconds_head']} s; share of a convnet step spent waiting: "
            f"{result['limits'][name.split()[1]]['waiting']:.1%}"
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
        colours = [style.SKY if name in OTHERS else style.VERMILION for name in rows]
        bars = axes.barh([TITLES[name] for name in rows], values, 0.6, color=colours)
        axes.bar_label(bars, [f"{value:.1f}" for value in values], padding=3, color=style.INK)
        axes.invert_yaxis()
        axes.set_title(title)
        axes.margins(x=0.15)
        axes.grid(visible=False, axis="y")
    style.save(fig, FIGURE)


if __name__ == "__main__":
    main()
