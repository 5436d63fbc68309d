"""Train the head that ships with the package: `python tools/ready_head.py ARCHIVE`."""

import sys
import tempfile
from pathlib import Path

from convlens import params, runtime
from convlens.errors import InputError
from convlens.files import write_text
from convlens.paths import BASE_WEIGHTS, PARAMS
from convlens.progress import console

ASSETS = Path("src/convlens/assets")
SPLIT = {"train": 0.5, "validation": 0.25, "test": 0.25}  # for archives without splits


def main(archive: str) -> None:
    """Write ready_head.npz and its card, ready_head.md."""
    given = params.load(PARAMS)
    machine = runtime.configure(given.runtime)
    from convlens.evaluation.ready import card, train
    from convlens.models import ready

    changes = {"source": "archive", "archive": archive, "sha256": None, "split": SPLIT}
    photos = params.DataParams.model_validate(given.data.model_dump() | changes)
    base = ready.base_weights(BASE_WEIGHTS)
    with tempfile.TemporaryDirectory() as scratch:
        trained = train(photos, base, machine.policy, Path(scratch), progress=console)
    ready.save_head(trained.head, ASSETS / "ready_head.npz")
    command = f"python tools/ready_head.py {Path(archive).name}"
    write_text(ASSETS / "ready_head.md", card(trained, command))
    low, high = trained.test["accuracy_low"], trained.test["accuracy_high"]
    print(f"test accuracy {trained.test['accuracy']:.4f} ({low:.4f} to {high:.4f})")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except InputError as error:
        sys.exit(f"ready_head: {error}")
