"""Every deployment file parses, and says only what the server understands."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import serving
from serving.server import config
from serving.server.files import read_monitoring
from serving.server.metrics import DEFAULT_PATH, REQUEST_COUNT, REQUEST_LATENCY
from serving.server.options import Options

FOLDER = Path(serving.__file__).parent / "deploy"


def _manifests() -> dict[str, Any]:
    text = (FOLDER / "kubernetes" / "serving.yaml").read_text()
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def _commands() -> dict[str, list[str]]:
    compose = yaml.safe_load((FOLDER / "docker-compose.yaml").read_text())
    pod = _manifests()["Deployment"]["spec"]["template"]["spec"]
    return {
        "compose": compose["services"]["serving"]["command"],
        "kubernetes": pod["containers"][0]["args"],
    }


@pytest.mark.parametrize("where", ["compose", "kubernetes"])
def test_every_flag_is_one_of_the_servers(where: str) -> None:
    known = {field.name for field in dataclasses.fields(Options)}
    flags = {flag.removeprefix("--").split("=")[0] for flag in _commands()[where]}
    assert flags <= known


def test_the_model_config_serves_the_clients_model() -> None:
    [model] = config.read_models(FOLDER / "models.config")
    assert (model.name, str(model.base_path)) == ("uvcan", "/models/uvcan")


def test_the_config_map_holds_the_same_models(tmp_path: Path) -> None:
    data = _manifests()["ConfigMap"]["data"]
    path = tmp_path / "models.config"
    path.write_text(data["models.config"])
    assert config.read_models(path) == config.read_models(FOLDER / "models.config")


def test_monitoring_tells_where_prometheus_looks() -> None:
    monitoring = read_monitoring(FOLDER / "monitoring.config").prometheus_config
    scrape = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    [job] = scrape["scrape_configs"]
    assert monitoring.enable
    assert monitoring.path == job["metrics_path"] == DEFAULT_PATH


def test_batching_sets_only_fields_of_the_contract() -> None:
    text = (FOLDER / "batching.config").read_text()
    assert set(re.findall(r"^(\w+) \{ value: \d+ \}$", text, re.M)) == {
        *("max_batch_size", "batch_timeout_micros"),
        *("max_enqueued_batches", "num_batch_threads"),
    }


def test_the_dashboard_asks_for_metrics_that_exist() -> None:
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r":tensorflow:[\w:]+", target["expr"])
    }
    assert asked == {REQUEST_COUNT, f"{REQUEST_LATENCY}_bucket"}


def test_the_manifests_belong_together() -> None:
    found = _manifests()
    pod = found["Deployment"]["spec"]["template"]
    labels = pod["metadata"]["labels"]
    assert found["Service"]["spec"]["selector"] == labels
    target = found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert target["name"] == found["Deployment"]["metadata"]["name"]
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    assert claims == [found["PersistentVolumeClaim"]["metadata"]["name"]]
