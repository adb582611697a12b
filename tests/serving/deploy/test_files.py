"""Every deployment file parses, and says only what the server understands."""

import dataclasses
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import serving
from serving.server import config
from serving.server.files import read_monitoring
from serving.server.metrics import DEFAULT_PATH, Metrics
from serving.server.options import Options
from serving.server.parameters import read_parameters
from tests.serving.deploy.test_manifests import manifests

FOLDER = Path(serving.__file__).parent / "deploy"


def _commands() -> dict[str, list[str]]:
    compose, batching = (
        yaml.safe_load((FOLDER / f"docker-compose{name}.yaml").read_text())
        for name in ("", ".batching")
    )
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    return {
        "compose": compose["services"]["serving"]["command"],
        "batching": batching["services"]["serving"]["command"],
        "kubernetes": pod["containers"][0]["args"],
    }


@pytest.mark.parametrize("where", ["compose", "batching", "kubernetes"])
def test_every_flag_is_one_of_the_servers(where: str) -> None:
    known = {field.name for field in dataclasses.fields(Options)}
    flags = {flag.removeprefix("--").split("=")[0] for flag in _commands()[where]}
    assert flags <= known


def test_the_model_config_serves_the_clients_model() -> None:
    [model] = config.read_models(FOLDER / "models.config")
    assert (model.name, str(model.base_path)) == ("uvcan", "/models/uvcan")


def test_the_config_map_holds_the_same_models(tmp_path: Path) -> None:
    data = manifests()["ConfigMap"]["data"]
    path = tmp_path / "models.config"
    path.write_text(data["models.config"])
    assert config.read_models(path) == config.read_models(FOLDER / "models.config")


def test_monitoring_tells_where_prometheus_looks() -> None:
    monitoring = read_monitoring(FOLDER / "monitoring.config").prometheus_config
    scrape = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    [job] = scrape["scrape_configs"]
    assert monitoring.enable
    assert monitoring.path == job["metrics_path"] == DEFAULT_PATH


def test_batching_can_be_read_by_the_server() -> None:
    found = read_parameters(FOLDER / "batching.config")
    assert (found.max_batch_size, found.num_batch_threads) == (64, 4)
    assert (found.batch_timeout_s, found.max_enqueued_batches) == (0.0005, 100)


def test_every_metric_of_the_dashboard_is_exported() -> None:
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r":tensorflow:[\w:]+", target["expr"])
    }
    metrics = Metrics()
    metrics.answered("m", ("Predict", "GRPC"), "OK", 0.1)
    metrics.ran("m", "Predict", 0.1)
    metrics.counted("m", 1)
    metrics.warmed_up("/m", "OK", 0.1)
    metrics.loaded("/m", "OK", 0.1)
    metrics.queued("pool", [0.1])
    lines = metrics.text().decode().splitlines()
    exported = {re.split(r"[ {]", line)[0] for line in lines}
    assert len(asked) > 8
    assert asked <= exported


def test_the_dashboard_asks_the_source_that_compose_provides() -> None:
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    source = yaml.safe_load((FOLDER / "grafana-source.yaml").read_text())
    [provided] = source["datasources"]
    asked = {panel["datasource"]["uid"] for panel in dashboard["panels"]}
    assert asked == {provided["uid"]}


@pytest.mark.parametrize("name", ["", ".batching"])
def test_compose_mounts_files_that_exist(name: str) -> None:
    compose = yaml.safe_load((FOLDER / f"docker-compose{name}.yaml").read_text())
    for service in compose["services"].values():
        for volume in service["volumes"]:
            if volume.startswith("./"):
                assert (FOLDER / volume.split(":")[0]).is_file()


def test_the_manifests_belong_together() -> None:
    found = manifests()
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


def test_something_can_push_into_the_servers_volume() -> None:
    found = manifests()
    assert found["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]
    pod = found["Job"]["spec"]["template"]["spec"]
    claims = {v["name"]: v["persistentVolumeClaim"] for v in pod["volumes"]}
    [container] = pod["containers"]
    writable = {
        claims[mount["name"]]["claimName"]
        for mount in container["volumeMounts"]
        if not mount.get("readOnly")
    }
    assert writable == {found["PersistentVolumeClaim"]["metadata"]["name"]}


def _push(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the script of the Job with folders instead of volumes."""
    [container] = manifests()["Job"]["spec"]["template"]["spec"]["containers"]
    script = container["args"][0]
    for mount in ("/pipeline", "/models"):
        script = script.replace(mount, f"{folder}{mount}")
    command = [*container["command"], script]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_push_copies_the_newest_version_once(tmp_path: Path) -> None:
    for version in ("9", "10", "partial"):
        (tmp_path / "pipeline" / "serving" / "uvcan" / version).mkdir(parents=True)
    newest = tmp_path / "pipeline" / "serving" / "uvcan" / "10"
    (newest / "saved_model.pb").write_text("model")
    (tmp_path / "models" / ".uvcan-partial").mkdir(parents=True)  # of a killed push
    assert _push(tmp_path).stdout == "pushed version 10\n"
    assert [p.name for p in (tmp_path / "models" / "uvcan").iterdir()] == ["10"]
    pushed = tmp_path / "models" / "uvcan" / "10" / "saved_model.pb"
    assert pushed.read_text() == "model"
    assert not (tmp_path / "models" / ".uvcan-partial").exists()
    assert _push(tmp_path).stdout == "version 10 is there already\n"


def test_a_push_of_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "pipeline" / "serving" / "uvcan").mkdir(parents=True)
    pushed = _push(tmp_path)
    assert (pushed.returncode, "has no version to push" in pushed.stdout) == (1, True)
