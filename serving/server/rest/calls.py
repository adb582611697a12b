"""A path and a body into a status and a body: the REST API without HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from google.protobuf import json_format

from serving.server.api import Api
from serving.server.rest import document, examples, replies, values
from serving.server.status import invalid_argument
from serving.wire import services, tensors
from serving.wire.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)
from uvcan_tf.compat import WITH_DEFAULTS
from uvcan_tf.features import SERVING_DEFAULT

_VERSION: Final = r"(?:/(?:versions/(?P<version>[0-9]+)|labels/(?P<label>[^/:]+)))?"
_CALL: Final = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_VERSION}:(?P<call>classify|regress|predict)", re.I
)
_GET: Final = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_VERSION}(?P<metadata>/metadata)?", re.I
)


class RestCalls:
    """Answers REST calls by the API's own methods."""

    def __init__(self, api: Api, timeout_s: float) -> None:
        self._api = api
        self._timeout_s = timeout_s

    def answer(self, method: str, path: str, body: bytes) -> str:
        """The JSON text of the reply.

        Raises:
          StatusError: what the gRPC call would, or a malformed request.
        """
        found = _CALL.fullmatch(path) if method == "POST" else None
        if found:
            spec = _spec(found)
            calls: dict[str, Callable[[Any, bytes], Any]] = {
                "predict": self._predict,
                "classify": self._classify,
                "regress": self._regress,
            }
            if found["call"] in calls:  # capitals, as the rest of the path may have
                reply = calls[found["call"]](spec, body)
                return json.dumps(reply, indent=4, ensure_ascii=False)
        found = _GET.fullmatch(path) if method == "GET" else None
        if found is None:
            raise invalid_argument(f"Malformed request: {method} {path}")
        if not found["name"]:
            raise invalid_argument("Missing model name in request.")
        spec = _spec(found)
        if found["metadata"] == "/metadata":
            return self._metadata(spec)
        return self._status(spec)

    def _predict(self, spec: model_pb2.ModelSpec, body: bytes) -> dict[str, Any]:
        body_read = document.parse(body)
        _set_signature(spec, body_read)
        types = self._types(spec)
        rows = "instances" in body_read
        if rows and "inputs" in body_read:
            raise document.format_error(
                body_read,
                "Not formatted correctly expecting only one of 'inputs' or 'instances' "
                "keys to exist ",
            )
        if not rows and "inputs" not in body_read:
            raise invalid_argument("Missing 'inputs' or 'instances' key")
        convert = values.rows_to_arrays if rows else values.columns_to_arrays
        request = predict_pb2.PredictRequest(model_spec=spec)
        for name, array in convert(body_read, types).items():
            tensors.write(array, request.inputs[name])
        reply = self._counted(services.PREDICT, request)
        outputs = {n: tensors.to_array(p) for n, p in sorted(reply.outputs.items())}
        if rows:
            return {"predictions": replies.rows_from_arrays(outputs)}
        return {"outputs": replies.columns_from_arrays(outputs)}

    def _types(self, spec: model_pb2.ModelSpec) -> Mapping[str, int]:
        """The signature's inputs and their types."""
        name = spec.signature_name or SERVING_DEFAULT
        with self._api.store.use(spec) as servable:
            signature = servable.model.signatures.get(name)
        if signature is None:
            raise invalid_argument(
                f'Serving signature name: "{name}" not found in signature def'
            )
        if not signature.inputs:
            raise invalid_argument(
                "Failed to get input map for signature: "
                f"{spec.signature_name or 'DEFAULT'}"
            )
        return {alias: info.dtype for alias, info in sorted(signature.inputs.items())}

    def _classify(self, spec: model_pb2.ModelSpec, body: bytes) -> dict[str, Any]:
        request = classification_pb2.ClassificationRequest(model_spec=spec)
        self._fill_examples(request, body)
        reply = self._counted(services.CLASSIFY, request)
        return {
            "results": [
                [[c.label, document.decimal(c.score, True)] for c in entry.classes]
                for entry in reply.result.classifications
            ]
        }

    def _regress(self, spec: model_pb2.ModelSpec, body: bytes) -> dict[str, Any]:
        request = regression_pb2.RegressionRequest(model_spec=spec)
        self._fill_examples(request, body)
        reply = self._counted(services.REGRESS, request)
        results = reply.result.regressions
        return {"results": [document.decimal(one.value, True) for one in results]}

    def _counted(self, name: str, request: Any) -> Any:
        by = (name.lower(), "REST")
        return self._api.counted(name, request, self._timeout_s, by)

    def _fill_examples(self, request: Any, body: bytes) -> None:
        body_read = document.parse(body)
        _set_signature(request.model_spec, body_read)
        examples.fill(request.input, body_read)

    def _status(self, spec: model_pb2.ModelSpec) -> str:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
        reply = self._api.call(services.GET_MODEL_STATUS, request, self._timeout_s)
        return _proto_json(reply, indent=1) + "\n"

    def _metadata(self, spec: model_pb2.ModelSpec) -> str:
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=spec, metadata_field=["signature_def"]
        )
        reply = self._api.call(services.GET_MODEL_METADATA, request, self._timeout_s)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        reply.metadata["signature_def"].Unpack(signatures)
        told = {
            "model_spec": json.loads(_proto_json(reply.model_spec)),
            "metadata": {"signature_def": json.loads(_proto_json(signatures))},
        }
        return json.dumps(told, indent=1) + "\n"


def _spec(found: re.Match[str]) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=unquote(found["name"]))
    if found["version"]:
        digits = found["version"].lstrip("0") or "0"
        if len(digits) > 19 or int(digits) >= 2**63:
            raise invalid_argument(
                f"Failed to convert version: {found['version']} to numeric."
            )
        spec.version.value = int(digits)
    elif found["label"]:
        spec.version_label = unquote(found["label"])
    return spec


def _set_signature(spec: model_pb2.ModelSpec, body_read: Mapping[str, Any]) -> None:
    name = body_read.get("signature_name", "")
    if not isinstance(name, str):
        raise document.format_error(
            body_read,
            "not formatted correctly. 'signature_name' key must be a string value.",
        )
    spec.signature_name = name.encode(errors="replace").decode()


def _proto_json(message: Any, indent: int | None = None) -> str:
    return str(
        json_format.MessageToJson(
            message,
            **WITH_DEFAULTS,
            preserving_proto_field_name=True,
            indent=indent,
        )
    )
