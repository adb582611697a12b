"""REST and metrics over real HTTP."""

import gzip
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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


def _post(url: str, document: object) -> tuple[int, Any]:
    code, body, _ = _http(url, json.dumps(document).encode())
    return code, json.loads(body)


RIGHT = {
    "a row of a bare list": (
        "half_plus_two:predict",
        {"instances": [1.0, 4]},
        {"predictions": [3.5, 5.0]},
    ),
    "a row of objects": (
        "half_plus_two/versions/1:predict",
        {"instances": [{"x": 1.0}]},
        {"predictions": [2.5]},
    ),
    "a label": (
        "half_plus_two/labels/stable:predict",
        {"inputs": [2.0]},
        {"outputs": [3.0]},
    ),
    "the path in capitals": (
        "half_plus_two:PREDICT",
        {"inputs": {"x": [2.0]}},
        {"outputs": [4.0]},
    ),
    "several outputs by row": (
        "wide:predict",
        {"instances": [{"feats": [1, 2, 3, 4], "user": 5, "video": 3}]},
        {"predictions": [{"score": 15.0, "emb": [6.0, 7.0]}]},
    ),
    "several outputs by column, more names than wanted": (
        "wide:predict",
        {"inputs": {"feats": [[1, 2, 3, 4]], "user": [5], "video": [3], "z": 1}},
        {"outputs": {"score": [15.0], "emb": [[6.0, 7.0]]}},
    ),
    "base64 strings": (
        "wide:predict",
        {"signature_name": "echo_string", "inputs": {"x": [{"b64": "YWI="}, "c"]}},
        {"outputs": ["ab", "c"]},
    ),
    "short decimals": (
        "wide:predict",
        {"signature_name": "echo_float32", "inputs": [0.1, 16777217.0]},
        {"outputs": [0.1, 16777216.0]},
    ),
    "classify": (
        "half_plus_two:classify",
        {"signature_name": "classify_labels", "examples": [{"x": 4.0}]},
        {"results": [[["high", 5.0], ["low", -5.0]]]},
    ),
    "regress with a context": (
        "half_plus_two:regress",
        {
            "signature_name": "regress_x_to_y",
            "context": {"x": 2.0},
            "examples": [{}, {"x": [4.0]}],
        },
        {"results": [4.0, 5.0]},
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_call_is_answered_for(name: str, url: str) -> None:
    path, document, expected = RIGHT[name]
    assert _post(f"{url}/v1/models/{path}", document) == (200, expected)


WRONG = {
    "an unknown model": (
        "nope:predict",
        {"instances": [1]},
        404,
        "Servable not found for request: Latest(nope)",
    ),
    "an unknown signature": (
        "wide:predict",
        {"signature_name": "s", "instances": [1]},
        400,
        'Serving signature name: "s" not found in signature def',
    ),
    "a signature that is no string": (
        "wide:predict",
        {"signature_name": 1},
        400,
        "'signature_name' key must be a string value.",
    ),
    "neither form": ("wide:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
    "both forms": (
        "wide:predict",
        {"inputs": 1, "instances": 1},
        400,
        "expecting only one of 'inputs' or 'instances' keys to exist",
    ),
    "a list in place of an object": (
        "wide:predict",
        {"instances": [1]},
        400,
        "instances is a plain list, but expecting list of objects as multiple input",
    ),
    "an unknown name by row": (
        "half_plus_two:predict",
        {"instances": [{"x": 1.0, "z": 2}]},
        400,
        "keys must be equal to: x",
    ),
    "a string for a number": (
        "half_plus_two:predict",
        {"instances": ["1"]},
        400,
        'JSON Value: "1" Type: String is not of expected type: float',
    ),
    "a ragged list": (
        "half_plus_two:predict",
        {"inputs": [[1.0], [1.0, 2.0]]},
        400,
        "Encountered list at unexpected size: 2 at level: 1 expected size: 1",
    ),
    "no examples": (
        "half_plus_two:regress",
        {},
        400,
        "When method is classify, key 'examples' is expected and was not found",
    ),
    "mixed types": (
        "half_plus_two:regress",
        {"examples": [{"x": [1, 2.0]}]},
        400,
        "Unexpected mix of types in list for feature: x",
    ),
    "a path that is none": (
        "half_plus_two:explode",
        {},
        400,
        "Malformed request: POST /v1/models/half_plus_two:explode",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_call_is_refused_for(name: str, url: str) -> None:
    path, document, code, message = WRONG[name]
    found, reply = _post(f"{url}/v1/models/{path}", document)
    assert found == code
    assert list(reply) == ["error"] and message in reply["error"]


def test_garbage_is_told_to_be_no_json(url: str) -> None:
    code, body, headers = _http(f"{url}/v1/models/wide:predict", b"{nope")
    assert code == 400 and b'    "error": "JSON Parse error: ' in body
    assert headers["content-type"] == "application/json"
    assert b"The document is empty" in _http(f"{url}/v1/models/wide:predict", b"")[1]


def test_gzipped_bodies_are_read(url: str) -> None:
    body = gzip.compress(b'{"inputs": [2.0]}')
    path = f"{url}/v1/models/half_plus_two:predict"
    headers = {"Content-Encoding": "gzip"}
    assert json.loads(_http(path, body, **headers)[1]) == {"outputs": [4.0]}
    assert _http(path, b"no gzip", **headers)[0] == 400


def test_status_is_the_json_of_the_message(url: str) -> None:
    code, body, _ = _http(f"{url}/v1/models/wide")
    assert code == 200
    assert body == (
        b'{\n "model_version_status": [\n  {\n   "version": "1",\n   "state": '
        b'"AVAILABLE",\n   "status": {\n    "error_code": "OK",\n    '
        b'"error_message": ""\n   }\n  }\n ]\n}\n'
    )


def test_metadata_tells_the_signatures(url: str) -> None:
    code, body, _ = _http(f"{url}/v1/models/half_plus_two/versions/1/metadata")
    document = json.loads(body)
    assert code == 200
    assert document["model_spec"]["version"] == "1"
    signatures = document["metadata"]["signature_def"]["signature_def"]
    assert signatures["serving_default"]["inputs"]["x"]["dtype"] == "DT_FLOAT"


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("/v1/models", 400, "Missing model name in request."),
        ("/v1/foo", 400, "Malformed request: GET /v1/foo"),
        ("/v1/models/wide?x=1", 404, "Could not find any versions of model wide?x=1"),
        ("/v1/models/nope", 404, "Could not find any versions of model nope"),
        ("/elsewhere", 404, "Not Found"),
    ],
)
def test_other_paths(url: str, path: str, code: int, text: str) -> None:
    found, body, _ = _http(url + path)
    assert found == code and text in body.decode()


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
        _post(f"{url}/v1/models/half_plus_two:predict", {"inputs": [2.0]})
    assert count() == before + 3
    text = _http(f"{url}/metrics")[1].decode()
    assert re.search(
        r':tensorflow:serving:request_latency_bucket\{API="predict",'
        r'entrypoint="REST",le="\+Inf",model_name="half_plus_two"\} [1-9]',
        text,
    )
