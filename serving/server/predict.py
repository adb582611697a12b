"""PredictionService.Predict, in TF Serving's order of checks and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from serving import tensors
from serving.protos import meta_graph_pb2, predict_pb2
from serving.server.run import Run
from serving.server.servable import Servable
from serving.server.status import Code, StatusError, invalid_argument
from uvcan_tf.features import SERVING_DEFAULT

PREDICT_METHOD = "tensorflow/serving/predict"
CLASSIFY_METHOD = "tensorflow/serving/classify"
REGRESS_METHOD = "tensorflow/serving/regress"

Signature: TypeAlias = meta_graph_pb2.SignatureDef


def predict(
    request: predict_pb2.PredictRequest, run: Run
) -> predict_pb2.PredictResponse:
    """Runs a signature on the request's tensors.

    Raises:
      StatusError: the first check that fails, or what the runtime says.
    """
    name = request.model_spec.signature_name or SERVING_DEFAULT
    signature = run.servable.model.signatures.get(name)
    if signature is None:
        raise StatusError(
            Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
        )
    if run.check_method:
        _check_method(signature)
    _check_count(request.inputs, signature)
    feeds = _bind(request.inputs, signature)
    aliases = _outputs(request.output_filter, signature)
    values = run.fetch(feeds, [signature.outputs[alias].name for alias in aliases])
    return _reply(run.servable, name, aliases, values)


def _reply(
    servable: Servable,
    signature_name: str,
    aliases: Sequence[str],
    values: Sequence[tensors.Array],
) -> predict_pb2.PredictResponse:
    reply = predict_pb2.PredictResponse()
    echo(reply.model_spec, servable, signature_name)
    for alias, value in zip(aliases, values, strict=True):
        reply.outputs[alias].CopyFrom(tensors.to_proto(value))
    return reply


def echo(spec: Any, servable: Servable, signature_name: str = "") -> None:
    """Writes what was served: name, version, signature; never the label."""
    spec.name = servable.name
    spec.version.value = servable.version
    spec.signature_name = signature_name


def _check_method(signature: Signature) -> None:
    known = (PREDICT_METHOD, CLASSIFY_METHOD, REGRESS_METHOD)
    if signature.method_name not in known:
        raise StatusError(
            Code.INTERNAL,
            "Expected prediction signature method_name to be one of "
            f"{{{', '.join(known)}}}. Was: {signature.method_name}",
        )


def _check_count(inputs: Mapping[str, Any], signature: Signature) -> None:
    sent, required = len(inputs), len(signature.inputs)
    if sent == required or (sent < required and signature.defaults):
        return
    raise invalid_argument(
        f"input size does not match signature: {sent}!={required} "
        f"len({_set(inputs)}) != len({_set(signature.inputs)}). "
        f"Sent extra: {_set(set(inputs) - set(signature.inputs))}. "
        f"Missing but required: {_set(set(signature.inputs) - set(inputs))}."
    )


def _bind(inputs: Mapping[str, Any], signature: Signature) -> dict[str, tensors.Array]:
    """Arrays by feed name: what was sent, else the signature's defaults."""
    feeds: dict[str, tensors.Array] = {}
    used: list[str] = []
    for alias in sorted(signature.inputs):
        proto = inputs[alias] if alias in inputs else None
        if proto is not None:
            used.append(alias)
        elif alias in signature.defaults:
            proto = signature.defaults[alias]
        else:
            raise invalid_argument(
                f"Signature input alias: {alias}(feed name: "
                f"{signature.inputs[alias].name}) not found in request and no default "
                f"value provided. Inputs expected to be in the request {_set(inputs)}, "
                "or default input alias set: " + ",".join(sorted(signature.defaults))
            )
        try:
            feeds[signature.inputs[alias].name] = tensors.to_array(proto)
        except ValueError:
            raise invalid_argument(f"tensor parsing error: {alias}") from None
    if len(used) < len(inputs):
        raise invalid_argument(
            f"Inputs contains invalid name. Used request inputs: {','.join(used)}, "
            f"request input: {','.join(sorted(inputs))}"
        )
    return feeds


def _outputs(wanted: Sequence[str], signature: Signature) -> list[str]:
    """Aliases to answer with; an empty filter means all."""
    seen: set[str] = set()
    for alias in wanted:
        if alias not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias} Outputs expected "
                f"to be in the set {_set(signature.outputs)}."
            )
        if alias in seen:
            raise invalid_argument(f"duplicate output tensor alias: {alias}")
        seen.add(alias)
    return list(wanted) or sorted(signature.outputs)


def _set(names: Any) -> str:
    return "{" + ",".join(sorted(names)) + "}"
