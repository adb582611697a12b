"""Metadata, status, reload and the transport (contract, sections 4, 5 and 8)."""

from __future__ import annotations

from collections.abc import Iterator

from serving.checks.conformance.case import Case, spec
from serving.server.status import Code

HALF = "half_plus_two"
_INVALID = Code.INVALID_ARGUMENT
_PREDICTION = "/tensorflow.serving.PredictionService/"
_MODEL = "/tensorflow.serving.ModelService/"


def cases() -> Iterator[Case]:
    """Everything but the calls that run a graph."""
    yield from _metadata()
    yield from _status()
    yield from _reload()
    yield from _transport()


def _metadata() -> Iterator[Case]:
    def request(model: str, *fields: str) -> str:
        return spec(model) + "".join(f' metadata_field: "{field}"' for field in fields)

    unset = "GetModelMetadataRequest must specify at least one metadata_field"
    wrong = {
        "no field": (request(HALF), unset),
        "no field of an unknown model": (request("nope"), unset),
        "an unknown field": (
            request(HALF, "size"),
            "Metadata field size is not supported",
        ),
        "an unknown field of an unknown model": (
            request("nope", "size"),
            "Metadata field size is not supported",
        ),
        "a known and an unknown field": (
            request(HALF, "signature_def", "size"),
            "Metadata field size is not supported",
        ),
    }
    for name, (body, message) in wrong.items():
        title = f"GetModelMetadata refuses {name}"
        yield Case(title, "GetModelMetadata", body, code=_INVALID, message=message)
    yield Case(
        "GetModelMetadata tells every signature, the initialiser's too",
        "GetModelMetadata",
        request(HALF, "signature_def"),
        has=(
            "tensorflow.serving.SignatureDefMap",
            '"__saved_model_init_op"',
            '"regress_x_to_y"',
            'method_name: "tensorflow/serving/classify"',
            r'model_spec \{ name: "half_plus_two" version \{ value: 2 \} \}',
        ),
    )


def _status() -> Iterator[Case]:
    def version(number: int) -> str:
        return (
            f"model_version_status {{ version: {number} state: AVAILABLE status {{}} }}"
        )

    right = {
        "lists versions, newest first": (spec(HALF), version(2) + version(1)),
        "tells one version": (spec(HALF, "version { value: 1 }"), version(1)),
        "ignores a label": (
            spec(HALF, 'version_label: "stable"'),
            version(2) + version(1),
        ),
        "ignores an unknown label": (
            spec(HALF, 'version_label: "nope"'),
            version(2) + version(1),
        ),
        "ignores a signature name": (spec("wide", signature="nosig"), version(1)),
    }
    for name, (request, reply) in right.items():
        yield Case(f"GetModelStatus {name}", "GetModelStatus", request, reply)
    yield from _status_wrong()


def _status_wrong() -> Iterator[Case]:
    any_version = "Could not find any versions of model "
    wrong = {
        "without a model_spec": ("", _INVALID, "Missing ModelSpec"),
        "without a name": (spec(), Code.NOT_FOUND, any_version),
        "of an unknown model": (spec("nope"), Code.NOT_FOUND, any_version + "nope"),
        "of an unknown version": (
            spec(HALF, "version { value: 9 }"),
            Code.NOT_FOUND,
            f"Could not find version 9 of model {HALF}",
        ),
        "of version 0": (
            spec(HALF, "version {}"),
            Code.NOT_FOUND,
            f"Could not find version 0 of model {HALF}",
        ),
        "of a version of an unknown model": (
            spec("nope", "version { value: 1 }"),
            Code.NOT_FOUND,
            "Could not find version 1 of model nope",
        ),
    }
    for name, (request, code, message) in wrong.items():
        yield Case(
            f"GetModelStatus {name}",
            "GetModelStatus",
            request,
            code=code,
            message=message,
        )


def _reload() -> Iterator[Case]:
    """Only what TF Serving refuses before it stores anything."""
    model = 'config { name: "m" base_path: "/m" model_platform: "tensorflow" }'
    relative = 'config { name: "m" base_path: "m" model_platform: "tensorflow" }'
    wrong = {
        "an empty request": (
            "",
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported",
        ),
        "one name twice": (
            f"config {{ model_config_list {{ {model} {model} }} }}",
            "Illegal to list model m multiple times in config list",
        ),
        "a relative base path": (
            f"config {{ model_config_list {{ {relative} }} }}",
            "Expected model m to have an absolute path or URI; got base_path()=m",
        ),
    }
    for name, (request, message) in wrong.items():
        yield Case(
            f"HandleReloadConfigRequest refuses {name}",
            "HandleReloadConfigRequest",
            request,
            code=_INVALID,
            message=message,
        )


def _transport() -> Iterator[Case]:
    for path in (
        f"{_PREDICTION}Nope",
        f"{_PREDICTION}PredictStreamed",
        f"{_MODEL}Nope",
        "/tensorflow.serving.SessionService/SessionRun",
        "/nope.Nope/Nope",
        "/grpc.health.v1.Health/Check",
    ):
        yield Case(
            f"{path[1:]} is not implemented",
            path,
            b"",
            code=Code.UNIMPLEMENTED,
            message="",
        )
    for path in (
        *(f"{_PREDICTION}{call}" for call in ("Predict", "Classify", "Regress")),
        f"{_PREDICTION}MultiInference",
        f"{_PREDICTION}GetModelMetadata",
        f"{_MODEL}GetModelStatus",
        f"{_MODEL}HandleReloadConfigRequest",
    ):
        yield Case(
            f"{path[1:]} cannot read garbage",
            path,
            b"\x0a\xff\xff\xff\xff\x0f garbage",
            code=Code.INTERNAL,
            message="",
        )
    yield Case(
        "an empty Predict has no model_spec",
        f"{_PREDICTION}Predict",
        b"",
        code=_INVALID,
        message="Missing ModelSpec",
    )
