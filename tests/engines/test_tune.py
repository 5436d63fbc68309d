"""ASHA gives epochs to trainings by what they tell, whatever happens to their workers."""

import os
import signal

from convlens import engines
from convlens.engines.tune import asha

LOSSES = [0.5, 0.9, 0.4, 0.8]  # of each epoch of four trainings


def training(folder, kill):
    """Return what trains one of four, and is known to workers by what it does."""

    def train(number, tell):
        for epoch in range(1, 5):
            with (folder / f"{number}").open("a") as file:
                file.write(f"{epoch} ")
            if (number, epoch) == kill and not (folder / "killed").exists():
                (folder / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            tell({"val_loss": LOSSES[number] / epoch})

    return train


def searched(folder, cluster, kill=None):
    assert cluster.address
    folder.mkdir()
    ended = []
    with engines.start("ray", workers=1) as engine:
        seen = asha(
            engine, training(folder, kill), 4, epochs=4, grace=1,
            folder=folder / "tune", heard=lambda *known: ended.append(known),
        )  # fmt: skip
    return seen, ended, {k: (folder / f"{k}").read_text().split() for k in range(4)}


def test_the_worse_ones_are_stopped_and_a_killed_worker_changes_nothing(cluster, tmp_path):
    seen, ended, told = searched(tmp_path / "calm", cluster)
    assert seen == {0: 4, 1: 1, 2: 4, 3: 1}  # each stopped one is behind half of those before it
    assert told == {0: list("1234"), 1: ["1"], 2: list("1234"), 3: ["1"]}
    assert ended == [(0, 4, 0.125), (1, 1, 0.9), (2, 4, 0.1), (3, 1, 0.8)]
    again, _, told = searched(tmp_path / "harmed", cluster, kill=(2, 3))
    assert again == seen
    assert told[2] == list("1231234")
