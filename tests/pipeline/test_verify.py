"""What `make verify` compares turns red when a real run is disturbed."""

import pytest

from convlens import reproduce


@pytest.mark.parametrize("changes", [{"convnet": {"seed": 2}}, {"runtime": {"threads": 1}}])
def test_another_seed_or_another_order_of_sums_is_found(ran, committed, changes):
    assert list(reproduce.differences(ran.folder, committed.folder)) == []
    committed.change(changes)
    committed.run("dvc", "repro", "--single-item", "train@convnet")
    found = {(d.stage, d.file) for d in reproduce.differences(ran.folder, committed.folder)}
    assert ("train@convnet", "models/convnet/model.keras") in found
    committed.run("git", "checkout", "params.yaml", "dvc.lock", "models")
    committed.run("dvc", "checkout", "--force")
