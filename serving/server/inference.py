"""The three methods over examples, in TF Serving's order of checks."""

from __future__ import annotations

from typing import Any

from serving.server import examples
from serving.server.predict import (
    CLASSIFY_METHOD,
    REGRESS_METHOD,
    Signature,
    echo,
)
from serving.server.run import Run
from serving.server.servable import Servable
from serving.server.status import Code, StatusError, invalid_argument
from serving.wire.protos import classification_pb2, inference_pb2, regression_pb2
from uvcan_tf.features import SERVING_DEFAULT

_KINDS = {CLASSIFY_METHOD: "classification", REGRESS_METHOD: "regression"}
_WRITERS = {
    CLASSIFY_METHOD: examples.write_classes,
    REGRESS_METHOD: examples.write_regressions,
}


def classify(
    request: classification_pb2.ClassificationRequest, run: Run
) -> classification_pb2.ClassificationResponse:
    """Classes for each example."""
    reply = classification_pb2.ClassificationResponse()
    return _one(CLASSIFY_METHOD, request, reply, run)


def regress(
    request: regression_pb2.RegressionRequest, run: Run
) -> regression_pb2.RegressionResponse:
    """A value for each example."""
    reply = regression_pb2.RegressionResponse()
    return _one(REGRESS_METHOD, request, reply, run)


def multi_inference(
    request: inference_pb2.MultiInferenceRequest, run: Run
) -> inference_pb2.MultiInferenceResponse:
    """Several classifications and regressions of the same examples, in one run."""
    fed, fetched = set[str](), set[str]()
    seen: set[str] = set()
    for task in request.tasks:
        signature = _task_signature(task, request.tasks[0], seen, run.servable)
        if task.method_name not in examples.CHECKS:
            raise StatusError(
                Code.UNIMPLEMENTED,
                f"Unsupported signature method_name: {task.method_name}",
            )
        source, outputs = examples.CHECKS[task.method_name](signature)
        fed.add(source)
        fetched.update(outputs)
    rows = examples.serialized(request.input)
    run.count_examples(len(rows))
    names = sorted(fetched)
    found = run.fetch({name: rows for name in sorted(fed)}, names)
    values = dict(zip(names, found, strict=True))
    reply = inference_pb2.MultiInferenceResponse()
    for task in request.tasks:
        name = _signature_name(task)
        result = reply.results.add()
        echo(result.model_spec, run.servable, name)
        target = getattr(result, f"{_KINDS[task.method_name]}_result")
        target.SetInParent()
        signature = run.servable.model.signatures[name]
        _WRITERS[task.method_name](signature, len(rows), values, target)
    return reply


def _one(method: str, request: Any, reply: Any, run: Run) -> Any:
    name = _signature_name(request)
    signature = run.servable.model.signatures.get(name)
    if signature is None:
        raise invalid_argument(f"No signature was found with the name: {name}")
    if run.check_method and signature.method_name != method:
        raise invalid_argument(
            f"Expected {_KINDS[method]} signature method_name to be {method}. "
            f"Was: {signature.method_name}"
        )
    source, outputs = examples.CHECKS[method](signature)
    rows = examples.serialized(request.input)
    run.count_examples(len(rows))
    values = dict(zip(outputs, run.fetch({source: rows}, outputs), strict=True))
    echo(reply.model_spec, run.servable, name)
    reply.result.SetInParent()
    _WRITERS[method](signature, len(rows), values, reply.result)
    return reply


def _task_signature(
    task: Any, first: Any, seen: set[str], servable: Servable
) -> Signature:
    if not task.model_spec.name:
        raise invalid_argument("Found ModelSpec with an empty model name.")
    if task.model_spec.name != first.model_spec.name:
        raise invalid_argument(
            "All ModelSpecs in a MultiInferenceRequest must access the same model name."
        )
    name = _signature_name(task)
    if name in seen:
        raise invalid_argument(f"Duplicate evaluation of signature: {name}")
    seen.add(name)
    if name not in servable.model.signatures:
        raise invalid_argument(f"Requested signature not found in model graph: {name}")
    return servable.model.signatures[name]


def _signature_name(message: Any) -> str:
    return message.model_spec.signature_name or SERVING_DEFAULT
