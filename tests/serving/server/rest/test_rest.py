"""REST and metrics over real HTTP."""

import dataclasses
import gzip
import http.client
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.checks.conformance import rest_cases
from serving.checks.conformance.rest_case import RestCase
from tests.serving.conftest import conformance_server, free_port, until

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


@pytest.mark.parametrize("zipped", [False, True])
def test_a_body_beyond_the_limit_is_refused(url: str, zipped: bool) -> None:
    body = b'{"inputs": [' + b" " * 2**24 + b"2.0]}"
    headers = {"Content-Encoding": "gzip"} if zipped else {}
    code, reply, _ = _http(
        f"{url}/v1/models/half_plus_two:predict",
        gzip.compress(body) if zipped else body,
        **headers,
    )
    assert code == 413 and b"should have at most 16777216 bytes" in reply


def test_a_stalled_body_and_a_caller_who_leaves_end_quietly(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    head = (
        b"POST /v1/models/wide:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    )
    with conformance_server(models, rest_api_port=port, rest_api_timeout_in_ms=300):
        with socket.create_connection(("127.0.0.1", port)) as stalled:
            stalled.sendall(head + b"{")
            stalled.settimeout(5)
            assert b"504" in stalled.recv(100)
        with socket.create_connection(("127.0.0.1", port)) as leaving:
            leaving.sendall(head + b"{")
        time.sleep(0.2)
    assert "Traceback" not in caplog.text


def test_a_stop_cuts_no_kept_connection(models: Path) -> None:
    port = free_port()
    outcomes: list[str] = []
    answered: list[int] = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        path, body = "/v1/models/half_plus_two:predict", b'{"inputs": [2.0]}'
        while True:
            try:
                if connection.sock is None:
                    connection.connect()
            except OSError:
                outcomes.append("refused")
                return
            try:
                connection.request("POST", path, body)
                reply = connection.getresponse()
                reply.read()
                answered.append(reply.status)
            except (OSError, http.client.HTTPException):
                outcomes.append("cut")
                return

    with conformance_server(models, rest_api_port=port):
        asking = [threading.Thread(target=ask) for _ in range(8)]
        for thread in asking:
            thread.start()
        until(lambda: len(answered) > 50)
    for thread in asking:
        thread.join()
    assert set(answered) == {200}
    assert outcomes == ["refused"] * 8


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
