"""Ray's own validators accept the clusters of deploy/, which have the Ray that is pinned."""

import re

import pytest
from ruamel.yaml import YAML


@pytest.fixture
def read(root):
    def reading(name):
        return YAML(typ="safe").load(root / "deploy" / name)

    return reading


def pinned(root):
    return re.search(r"^ray==(\S+)", (root / "requirements-dev.lock").read_text(), re.M)[1]


def test_ray_up_takes_the_cluster(root, read):
    from ray.autoscaler._private.util import prepare_config, validate_config

    given = read("ray-aws.yaml")
    validate_config(prepare_config(given))
    assert given["docker"]["image"].startswith(f"rayproject/ray:{pinned(root)}-")
    assert given["available_node_types"]["head"]["resources"] == {"CPU": 0}


def test_kuberay_s_cluster_gives_a_configuration_that_ray_accepts(root, read):
    from ray.autoscaler._private.kuberay.autoscaling_config import (
        _derive_autoscaling_config_from_ray_cr,
    )
    from ray.autoscaler._private.util import validate_config

    given = read("kuberay.yaml")
    assert (given["apiVersion"], given["kind"]) == ("ray.io/v1", "RayCluster")
    assert given["spec"]["rayVersion"] == pinned(root)
    given["metadata"]["namespace"] = "default"  # Kubernetes fills it in
    found = _derive_autoscaling_config_from_ray_cr(given)
    validate_config(found)
    kinds = found["available_node_types"]
    assert {name: kind["resources"]["CPU"] for name, kind in kinds.items()} == {
        "headgroup": 0, "workers": 16,
    }  # fmt: skip
    image = f"rayproject/ray:{pinned(root)}-"
    assert image in (root / "deploy/Dockerfile").read_text()
