"""The REST API (contract, section 9)."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any, Final

from serving.checks.conformance.rest_case import RestCase
from serving.checks.conformance.rest_right import RIGHT, ROWS

_MODELS: Final = "/v1/models/"

_WRONG: Final[dict[str, tuple[str, Any, int, str]]] = {
    "an unknown model": (
        "nope:predict",
        ROWS,
        404,
        "Servable not found for request: Latest(nope)",
    ),
    "an unknown version": (
        "half_plus_two/versions/9:predict",
        ROWS,
        404,
        "Servable not found for request: Specific(half_plus_two, 9)",
    ),
    "an unknown label": (
        "half_plus_two/labels/beta:predict",
        ROWS,
        400,
        "Unrecognized servable version label: beta",
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
    "no rows": (
        "half_plus_two:predict",
        {"instances": []},
        400,
        "No values in 'instances' array",
    ),
    "rows that are no list": (
        "half_plus_two:predict",
        {"instances": 1},
        400,
        "Expecting 'instances' to be an list/array",
    ),
    "a verb in capitals": (
        "half_plus_two:PREDICT",
        {"inputs": [2.0]},
        400,
        "Malformed request: POST /v1/models/half_plus_two:PREDICT",
    ),
    "an unknown model before the body": (
        "nope:predict",
        {},
        404,
        "Servable not found for request: Latest(nope)",
    ),
    "a list in place of an object": (
        "wide:predict",
        {"instances": [1]},
        400,
        "instances is a plain list, but expecting list of objects as multiple input",
    ),
    "a value in place of an object": (
        "wide:predict",
        {"inputs": 1},
        400,
        "inputs is a plain value/list, but expecting an object as multiple input",
    ),
    "an input left out": (
        "wide:predict",
        {"inputs": {"feats": [[1, 2, 3, 4]], "user": [5]}},
        400,
        "Missing named input: video in 'inputs' object.",
    ),
    "an unknown name by row": (
        "half_plus_two:predict",
        {"instances": [{"x": 1.0, "z": 2}]},
        400,
        "does not have named input: z",
    ),
    "a name left out of a row": (
        "wide:predict",
        {"instances": [{"feats": [1, 2, 3, 4], "user": 5}]},
        400,
        "keys must be equal to: feats,user,video",
    ),
    "a wrong value of a row": (
        "half_plus_two:predict",
        {"instances": [{"x": "1"}]},
        400,
        "Failed to process element: 0 key: x of 'instances' list. Error: "
        "INVALID_ARGUMENT: JSON Value: ",
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
    "a wrong base64": (
        "wide:predict",
        {"signature_name": "echo_string", "inputs": [{"b64": "?"}]},
        400,
        "Unable to base64 decode",
    ),
    "no examples": (
        "half_plus_two:regress",
        {},
        400,
        "When method is classify, key 'examples' is expected and was not found",
    ),
    "examples that are no list": (
        "half_plus_two:classify",
        {"examples": {}},
        400,
        "Expecting 'examples' value to be an list/array",
    ),
    "an empty list of examples": (
        "half_plus_two:classify",
        {"examples": []},
        400,
        "'examples' value is an empty array",
    ),
    "an integer beyond 64 bits with a sign": (
        "half_plus_two:regress",
        {"examples": [{"x": 2**63}]},
        400,
        "Feature: x has uint64_t element. Only int64_t is supported.",
    ),
    "mixed types": (
        "half_plus_two:regress",
        {"examples": [{"x": [1, 2.0]}]},
        400,
        "Unexpected element type in feature: x expecting type: int64",
    ),
    "a path that is none": (
        "half_plus_two:explode",
        {},
        400,
        "Malformed request: POST /v1/models/half_plus_two:explode",
    ),
    "garbage": (
        "wide:predict",
        b"{nope",
        400,
        "JSON Parse error: Missing a name for object member.",
    ),
    "nothing": ("wide:predict", b"", 400, "The document is empty"),
}
_GET: Final[dict[str, tuple[int, str]]] = {
    "/v1/models": (400, "Missing model name in request."),
    "/v1/foo": (400, "Malformed request: GET /v1/foo"),
    "/v1/models/wide?x=1": (404, "Could not find any versions of model wide?x=1"),
    "/V1/MODELS/half_plus_two": (200, '"AVAILABLE"'),
    "/v1/models/nope": (404, "Could not find any versions of model nope"),
    "/v1/models/half_plus_two/versions/9": (
        404,
        "Could not find version 9 of model half_plus_two",
    ),
    "/v1/models/nope/metadata": (404, "Servable not found for request: Latest(nope)"),
    "/v1/models/half_plus_two/metadata": (200, '"regress_x_to_y"'),
    "/v1/models/half_plus_two/versions/1/metadata": (200, '"version": "1"'),
    "/v1/models/half_plus_two/labels/stable": (200, '"AVAILABLE"'),
    "/elsewhere": (404, "Not Found"),
}


def cases() -> Iterator[RestCase]:
    """Every REST call."""
    for name, (path, document, reply) in RIGHT.items():
        yield RestCase(f"REST answers {name}", _MODELS + path, document, reply)
    for name, (path, document, code, text) in _WRONG.items():
        yield RestCase(
            f"REST refuses {name}", _MODELS + path, document, code=code, has=text
        )
    for path, (code, text) in _GET.items():
        yield RestCase(f"REST GET {path}", path, code=code, has=text)
    yield RestCase(
        "REST tells the status of a model",
        f"{_MODELS}wide",
        reply={
            "model_version_status": [
                {
                    "version": "1",
                    "state": "AVAILABLE",
                    "status": {"error_code": "OK", "error_message": ""},
                }
            ]
        },
    )
    zipped = {"Content-Encoding": "gzip"}
    half = f"{_MODELS}half_plus_two:predict"
    content = gzip.compress(b'{"inputs": [2.0]}')
    answer = {"outputs": [4.0]}
    yield RestCase("REST reads gzip", half, content, answer, headers=zipped)
    yield RestCase("REST refuses no gzip", half, b"x", code=400, headers=zipped)
