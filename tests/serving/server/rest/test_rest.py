"""REST and metrics over real HTTP."""

import dataclasses
import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.checks.conformance import rest_cases
from serving.checks.conformance.rest_case import RestCase
from tests.serving.conftest import conformance_server, free_port

METRICS = 'prometheus_config { enable: true path: "/metrics" }'


@pytest.fixture(scope="module")
def url(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    monitoring = tmp_path_factory.mktemp("config") / "monitoring.config"
    monitoring.write_text(METRICS)
    files = {"monitoring_config_file": str(monitoring)}
    with conformance_server(models, rest_api_port=port, **files):
        yield f"http://127.0.0.1:{port}"


def _http(
    url: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes, Any]:
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, reply.read(), reply.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


CASES = list(rest_cases.cases())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_answer_is_tf_servings(case: RestCase, url: str) -> None:
    assert case.run(url) is None


def test_a_wrong_answer_is_told(url: str) -> None:
    right = RestCase("", "/v1/models/half_plus_two:predict", {"inputs": [2.0]})
    assert right.run(url) is None
    for changes, told in (
        ({"code": 404}, "status 200"),
        ({"reply": {"outputs": [5.0]}}, 'expected {"outputs": [5.0]}'),
        ({"has": "nope"}, "expected it to have 'nope'"),
    ):
        wrong = dataclasses.replace(right, **changes)
        assert told in str(wrong.run(url))


def test_a_kept_connection_does_not_wait_for_acknowledgements(url: str) -> None:
    took: list[float] = []
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    for _ in range(21):
        begun = time.perf_counter()
        connection.request(
            "POST", "/v1/models/half_plus_two:predict", b'{"inputs": [2.0]}'
        )
        assert (
            connection.getresponse().read()
            == b'{\n    "outputs": [\n        4.0\n    ]\n}'
        )
        took.append(time.perf_counter() - begun)
    connection.close()
    assert sorted(took)[len(took) // 2] < 0.03  # a delayed acknowledgement: 0.04


def test_an_error_is_pretty_json(url: str) -> None:
    code, body, headers = _http(f"{url}/v1/models/wide:predict", b"{nope")
    assert code == 400 and b'{\n    "error": "JSON Parse error: ' in body
    assert headers["content-type"] == "application/json"


def test_status_is_the_json_of_the_message(url: str) -> None:
    code, body, _ = _http(f"{url}/v1/models/wide")
    assert code == 200
    assert body == (
        b'{\n "model_version_status": [\n  {\n   "version": "1",\n   "state": '
        b'"AVAILABLE",\n   "status": {\n    "error_code": "OK",\n    '
        b'"error_message": ""\n   }\n  }\n ]\n}\n'
    )


def test_metrics_count_what_was_asked(url: str) -> None:
    name = r":tensorflow:serving:request_count"
    labels = r'\{model_name="half_plus_two",status="OK"\}'

    def count() -> float:
        text = _http(f"{url}/metrics")[1].decode()
        assert f"# TYPE {name} counter" in text
        found = re.search(rf"^{name}{labels} ([\d.]+)$", text, re.M)
        return float(found[1]) if found else 0.0

    before = count()
    for _ in range(3):
        _http(f"{url}/v1/models/half_plus_two:predict", b'{"inputs": [2.0]}')
    assert count() == before + 3
    text = _http(f"{url}/metrics")[1].decode()
    assert re.search(
        r':tensorflow:serving:request_latency_bucket\{API="predict",'
        r'entrypoint="REST",le="\+Inf",model_name="half_plus_two"\} [1-9]',
        text,
    )
