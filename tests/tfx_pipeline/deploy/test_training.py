"""The training operator's manifest: its types, and what our own command takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tfx_pipeline
from tests.manifests import by_kind, mistakes, mutations, of_manifest
from tfx_pipeline.platforms.settings import PlatformConfig
from uvcan_tf import cli, config

FOUND = by_kind(Path(tfx_pipeline.__file__).parent / "deploy")


def _pod() -> Any:
    return FOUND["TFJob"]["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]


def _container() -> Any:
    [container] = _pod()["containers"]
    return container


@pytest.mark.parametrize("kind", ["ConfigMap", "TFJob"])
def test_a_manifest_is_what_its_types_say(kind: str) -> None:
    assert of_manifest(FOUND[kind]) == []


@pytest.mark.parametrize("kind", ["ConfigMap", "TFJob"])
def test_every_other_type_and_name_is_refused(kind: str) -> None:
    wrong = dict(mutations(FOUND[kind]))
    assert len(wrong) >= 15
    passed = [told for told, document in wrong.items() if not of_manifest(document)]
    assert passed == []


def test_a_job_without_replicas_is_refused() -> None:
    [told] = mistakes({}, "TFJobSpec", "spec")
    assert told.startswith("spec: Invalid value for `tfReplicaSpecs`")


def test_the_operator_finds_the_container_and_several_workers() -> None:
    assert _container()["name"] == "tensorflow"
    assert FOUND["TFJob"]["spec"]["tfReplicaSpecs"]["Worker"]["replicas"] > 1


def test_the_command_is_ours_with_its_options() -> None:
    container = _container()
    assert container["command"] == ["uvcan", "train"]
    known = {name for option in cli.train.params for name in option.opts}
    assert {argument.split("=")[0] for argument in container["args"]} <= known


def test_the_configuration_trains_on_several_workers() -> None:
    content = FOUND["ConfigMap"]["data"]["config.json"]
    training = config.from_json(json.loads(content)).training
    assert training.distribute == config.MULTI_WORKER


def test_the_job_mounts_what_its_arguments_name() -> None:
    steps = PlatformConfig()
    mounts = {m["name"]: m["mountPath"] for m in _container()["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in _pod()["volumes"]}
    assert volumes["uvcan"]["persistentVolumeClaim"]["claimName"] == steps.volume
    assert mounts["uvcan"] == steps.mount
    config_map = volumes["config"]["configMap"]["name"]
    assert config_map == FOUND["ConfigMap"]["metadata"]["name"]
    paths = [argument.split("=")[1] for argument in _container()["args"]]
    assert all(path.startswith(tuple(mounts.values())) for path in paths)
