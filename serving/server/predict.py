"""PredictionService.Predict, in TF Serving's order of checks and its words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from serving.server.run import Run
from serving.server.servable import Servable
from serving.server.status import Code, StatusError, invalid_argument
from serving.wire import tensors
from serving.wire.protos import meta_graph_pb2, predict_pb2
from uvcan_tf.features import SERVING_DEFAULT

PREDICT_METHOD = "tensorflow/serving/predict"
CLASSIFY_METHOD = "tensorflow/serving/classify"
REGRESS_METHOD = "tensorflow/serving/regress"

Signature: TypeAlias = meta_graph_pb2.SignatureDef


@dataclasses.dataclass(frozen=True)
class Plan:
    """A signature as a call meets it, worked out once.

    Args:
      signature: as saved.
      inputs: (alias, tensor name, default), by alias; None where there is no default.
      outputs: tensor name by alias, in the order of aliases.
    """

    signature: Signature
    inputs: tuple[tuple[str, str, tensors.Array | None], ...]
    outputs: Mapping[str, str]

    @classmethod
    def of(cls, signature: Signature) -> Plan:
        """Reads the signature."""
        defaults = {n: tensors.to_array(p) for n, p in signature.defaults.items()}
        inputs = sorted(signature.inputs.items())
        outputs = sorted(signature.outputs.items())
        return cls(
            signature,
            tuple((alias, info.name, defaults.get(alias)) for alias, info in inputs),
            {alias: info.name for alias, info in outputs},
        )


def predict(
    request: predict_pb2.PredictRequest, run: Run
) -> predict_pb2.PredictResponse:
    """Runs a signature on the request's tensors.

    Raises:
      StatusError: the first check that fails, or what the runtime says.
    """
    name = request.model_spec.signature_name or SERVING_DEFAULT
    plan = _plan(run.servable, name)
    if run.check_method:
        _check_method(plan.signature)
    inputs = request.inputs
    if len(inputs) != len(plan.inputs):
        _check_count(inputs, plan.signature)
    feeds = _bind(inputs, plan)
    aliases: Sequence[str] = list(plan.outputs)
    if request.output_filter:
        aliases = _filtered(request.output_filter, plan)
    values = run.fetch(feeds, [plan.outputs[alias] for alias in aliases])
    reply = predict_pb2.PredictResponse()
    echo(reply.model_spec, run.servable, name)
    for alias, value in zip(aliases, values, strict=True):
        tensors.write(value, reply.outputs[alias])
    return reply


def _plan(servable: Servable, name: str) -> Plan:
    plan: Plan | None = servable.plans.get(name)
    if plan is None:
        signature = servable.model.signatures.get(name)
        if signature is None:
            raise StatusError(
                Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
            )
        plan = servable.plans[name] = Plan.of(signature)
    return plan


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
    if sent < required and signature.defaults:
        return
    raise invalid_argument(
        f"input size does not match signature: {sent}!={required} "
        f"len({_set(inputs)}) != len({_set(signature.inputs)}). "
        f"Sent extra: {_set(set(inputs) - set(signature.inputs))}. "
        f"Missing but required: {_set(set(signature.inputs) - set(inputs))}."
    )


def _bind(inputs: Mapping[str, Any], plan: Plan) -> dict[str, tensors.Array]:
    """Arrays by feed name: what was sent, else the signature's defaults."""
    feeds: dict[str, tensors.Array] = {}
    used: list[str] = []
    for alias, feed, default in plan.inputs:
        if alias in inputs:
            used.append(alias)
            try:
                feeds[feed] = tensors.to_array(inputs[alias])
            except ValueError:
                raise invalid_argument(f"tensor parsing error: {alias}") from None
        elif default is not None:
            feeds[feed] = default
        else:
            defaults = plan.signature.defaults
            raise invalid_argument(
                f"Signature input alias: {alias}(feed name: {feed}) not found in "
                "request and no default value provided. Inputs expected to be in the "
                f"request {_set(inputs)}, or default input alias set: "
                + ",".join(sorted(defaults))
            )
    if len(used) < len(inputs):
        raise invalid_argument(
            f"Inputs contains invalid name. Used request inputs: {','.join(used)}, "
            f"request input: {','.join(sorted(inputs))}"
        )
    return feeds


def _filtered(wanted: Sequence[str], plan: Plan) -> Sequence[str]:
    """Aliases to answer with, checked."""
    seen: set[str] = set()
    for alias in wanted:
        if alias not in plan.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias} Outputs expected "
                f"to be in the set {_set(plan.outputs)}."
            )
        if alias in seen:
            raise invalid_argument(f"duplicate output tensor alias: {alias}")
        seen.add(alias)
    return wanted


def _set(names: Any) -> str:
    return "{" + ",".join(sorted(names)) + "}"
