"""Every panel of the dashboard has data: asked of a real Prometheus, under load."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

import serving
from tests.serving.conftest import conformance_server, free_port, until

FOLDER = Path(serving.__file__).parent / "deploy"
PROMETHEUS = shutil.which("prometheus")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROMETHEUS is None,
        reason="Prometheus is absent; Debian has it: apt install prometheus",
    ),
]


def queries() -> dict[str, str]:
    """Of each target of each panel, as Grafana would send it for scrapes of 1 s."""
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    return {
        f"{panel['title']}: {target['refId']}": target["expr"].replace(
            "$__rate_interval", "4s"
        )
        for panel in dashboard["panels"]
        for target in panel["targets"]
    }


def test_the_window_of_a_rate_holds_several_scrapes() -> None:
    scrape = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    source = yaml.safe_load((FOLDER / "grafana-source.yaml").read_text())
    interval = source["datasources"][0]["jsonData"]["timeInterval"]
    assert scrape["global"]["scrape_interval"] == interval
    dashboard = (FOLDER / "grafana-dashboard.json").read_text()
    windows = set(re.findall(r"rate\([^)]*\[([^]]+)\]", dashboard))
    assert windows == {"$__rate_interval"}


@contextmanager
def prometheus(folder: Path, target: int) -> Iterator[str]:
    """The shipped configuration, but every second and of a server on loopback."""
    text = (FOLDER / "prometheus.yaml").read_text()
    config = yaml.safe_load(text.replace("serving:8501", f"127.0.0.1:{target}"))
    config["global"]["scrape_interval"] = "1s"
    path = folder / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = [str(PROMETHEUS), f"--config.file={path}"]
    command += [f"--storage.tsdb.path={folder / 'tsdb'}"]
    command += [f"--web.listen-address={address}"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield f"http://{address}/api/v1/query"
    finally:
        process.terminate()
        process.wait(20)


def answers(address: str, query: str) -> list[float]:
    """The values of all series that answer; none where there is no data."""
    parameters = urllib.parse.urlencode({"query": query})
    try:
        with urllib.request.urlopen(f"{address}?{parameters}", timeout=5) as reply:
            content: Any = json.load(reply)
    except OSError:
        return []
    values = [float(series["value"][1]) for series in content["data"]["result"]]
    return [value for value in values if value == value]  # NaN: 0 / 0, no data


@pytest.fixture(scope="module")
def address(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a Prometheus that watches a server under load, warmed up and with batches."""
    folder = tmp_path_factory.mktemp("prometheus")
    port = free_port()
    regress = f"http://127.0.0.1:{port}/v1/models/half_plus_two:regress"
    request = {"signature_name": "regress_x_to_y", "examples": [{"x": 1.0}]}
    done = threading.Event()

    def load() -> None:
        while not done.wait(0.02):
            body = json.dumps(request).encode()
            with urllib.request.urlopen(regress, body, timeout=20) as reply:
                reply.read()

    with conformance_server(
        models,
        rest_api_port=port,
        monitoring_config_file=str(FOLDER / "monitoring.config"),
        enable_batching=True,
        batching_parameters_file=str(FOLDER / "batching.config"),
    ):
        caller = threading.Thread(target=load)
        caller.start()
        with prometheus(folder, port) as found:
            yield found
        done.set()
        caller.join(20)


@pytest.mark.parametrize("name", sorted(queries()))
def test_a_panel_has_data(address: str, name: str) -> None:
    if "warm up" in name and name.endswith("B"):
        pytest.skip("these models have no warm-up records")
    until(lambda: bool(answers(address, queries()[name])))
