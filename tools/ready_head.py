"""Train the head that ships with the package: `python tools/ready_head.py ARCHIVE`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from convlens import params, runtime
from convlens.errors import InputError
from convlens.files import write_text
from convlens.paths import BASE_WEIGHTS, PARAMS
from convlens.progress import console

if TYPE_CHECKING:
    from convlens.training.ready import Trained

ASSETS = Path("src/convlens/assets")
SPLIT = {"train": 0.5, "validation": 0.25, "test": 0.25}  # for archives without splits


def main(archive: str) -> None:
    """Write ready_head.npz and its card, ready_head.md."""
    given = params.load(PARAMS)
    machine = runtime.configure(given.runtime)
    from convlens.evaluation.metrics import Scored, of_two, scores
    from convlens.models import ready
    from convlens.training.ready import train

    changes = {"source": "archive", "archive": archive, "sha256": None, "split": SPLIT}
    photos = params.DataParams.model_validate(given.data.model_dump() | changes)
    base = ready.base_weights(BASE_WEIGHTS)
    with tempfile.TemporaryDirectory() as scratch:
        trained = train(photos, base, machine.policy, Path(scratch), progress=console)
    ready.save_head(trained.head, ASSETS / "ready_head.npz")
    test = scores(Scored(trained.labels, of_two(trained.logits)), 0.95, bins=10)
    command = f"python tools/ready_head.py {Path(archive).name}"
    write_text(ASSETS / "ready_head.md", card(trained, test, command))
    low, high = test["accuracy_low"], test["accuracy_high"]
    print(f"test accuracy {test['accuracy']:.4f} ({low:.4f} to {high:.4f})")


def card(trained: Trained, test: Mapping[str, float], command: str) -> str:
    """Return the head's card as Markdown."""
    data, counts = trained.data, trained.data["counts"]
    sizes = ", ".join(f"{sum(count.values()):,} {split}" for split, count in counts.items())
    best = {
        size: min((r for r in trained.tried if r["image_size"] == size), key=itemgetter("log_loss"))
        for size in sorted({int(row["image_size"]) for row in trained.tried})
    }
    rows = "\n".join(
        f"| {size} | {row['c']:.2g} | {row['log_loss']:.4f} | {row['accuracy']:.1%} |"
        for size, row in best.items()
    )
    return f"""# The ready head

One logit of "dog" on VGG16's globally averaged `block5_pool` features: 512 weights and a bias in
`ready_head.npz`, for photos of {trained.head.image_size} × {trained.head.image_size} pixels. \
`convlens explain --model ready` puts it on
the ImageNet base, which is fetched once.

| on {test["n"]:,} test photos | |
|---|---|
| accuracy | {test["accuracy"]:.1%} (95 % interval {test["accuracy_low"]:.1%} to \
{test["accuracy_high"]:.1%}) |
| log loss | {test["log_loss"]:.3f} nats |
| ROC AUC | {test["roc_auc"]:.4f} |
| calibration error (10 bins) | {test["ece"]:.3f} |

**Data.** Photos of the Asirra set of cats and dogs (Microsoft), in the small selection that the
tutorials use: {sizes}.
Archive sha256 `{data["archive_sha256"]}`,
manifest sha256 `{data["digest"]}`.

**Training.** L2-regularised logistic regression (scikit-learn) on the training photos and their
mirror images. Image size and C have the least log loss on the validation split; the test split
was scored once, afterwards.

| pixels a side | best C | validation log loss | validation accuracy |
|---|---|---|---|
{rows}

Repeat: `{command}`

**Limits.** It knows cats and dogs only, and says one of them of anything else: a horse, a face, a
car. Photos are squashed to a square. It learned from amateurs' photos of pets in American animal
shelters; its accuracy on other photos is unknown, and on drawings it is bound to be lower.

VGG16's weights: Simonyan & Zisserman, CC BY 4.0.
"""


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except InputError as error:
        sys.exit(f"ready_head: {error}")
