"""Train the head that ships with the package; no stage: `python pipeline/ready_head.py ARCHIVE`."""

import tempfile
from pathlib import Path

from convlens import runtime as rt
from convlens.files import write_text
from convlens.params import DataParams, RuntimeParams
from convlens.progress import console
from stage import BASE_WEIGHTS, run

ASSETS = Path("src/convlens/assets")
SPLIT = {"train": 0.5, "validation": 0.25, "test": 0.25}  # for archives without splits


def main(data: DataParams, runtime: RuntimeParams, archive: str) -> None:
    """Write ready_head.npz and its card, ready_head.md."""
    machine = rt.configure(runtime)
    from convlens.evaluation.ready import card, train
    from convlens.models import ready

    changes = {"source": "archive", "archive": archive, "sha256": None, "split": SPLIT}
    photos = DataParams.model_validate(data.model_dump() | changes)
    base = ready.base_weights(BASE_WEIGHTS)
    with tempfile.TemporaryDirectory() as scratch:
        trained = train(photos, base, machine.policy, Path(scratch), progress=console)
    ready.save_head(trained.head, ASSETS / "ready_head.npz")
    command = f"python pipeline/ready_head.py {Path(archive).name}"
    write_text(ASSETS / "ready_head.md", card(trained, command))
    low, high = trained.test["accuracy_low"], trained.test["accuracy_high"]
    print(f"test accuracy {trained.test['accuracy']:.4f} ({low:.4f} to {high:.4f})")


if __name__ == "__main__":
    run(main)
