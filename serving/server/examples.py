"""Classify, Regress and MultiInference: signatures over serialized `tf.Example`s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serving.server.predict import CLASSIFY_METHOD, REGRESS_METHOD, Signature
from serving.server.status import invalid_argument
from serving.wire import tensors
from serving.wire.protos import types_pb2

INPUTS = "inputs"
OUTPUTS = "outputs"
CLASSES = "classes"
SCORES = "scores"

Values = Mapping[str, tensors.Array]  # by tensor name


def serialized(inputs: Any) -> tensors.Array:
    """The examples of an Input; a context goes before each, so examples override it.

    Raises:
      StatusError: there are none.
    """
    context = b""
    source = inputs.example_list
    if inputs.WhichOneof("kind") == "example_list_with_context":
        source = inputs.example_list_with_context
        context = source.context.SerializeToString()
    rows = [context + example.SerializeToString() for example in source.examples]
    if not rows:
        raise invalid_argument("Input is empty.")
    return np.array([*rows, None], dtype=object)[:-1]  # [N]


def check_classify(signature: Signature) -> tuple[str, list[str]]:
    """Names of the input and the output tensors of a classify signature."""
    _one_input(signature)
    if len(signature.outputs) not in (1, 2):
        raise invalid_argument(
            f"Expected one or two output Tensors, found {len(signature.outputs)}"
        )
    if INPUTS not in signature.inputs:
        raise invalid_argument(
            f"No classification inputs found in SignatureDef: {signature}"
        )
    found = [name for name in (CLASSES, SCORES) if name in signature.outputs]
    if not found:
        raise invalid_argument(
            "Expected classification signature outputs to contain at least one of "
            f'"{CLASSES}" or "{SCORES}". Signature was: {signature}'
        )
    return signature.inputs[INPUTS].name, [signature.outputs[n].name for n in found]


def check_regress(signature: Signature) -> tuple[str, list[str]]:
    """Names of the input and the output tensor of a regress signature."""
    _one_input(signature)
    if len(signature.outputs) != 1:
        raise invalid_argument("Expected one output Tensor.")
    if INPUTS not in signature.inputs:
        raise invalid_argument(
            f"No regression inputs found in SignatureDef: {signature}"
        )
    if OUTPUTS not in signature.outputs:
        raise invalid_argument(
            f"No regression outputs found in SignatureDef: {signature}"
        )
    return signature.inputs[INPUTS].name, [signature.outputs[OUTPUTS].name]


CHECKS = {CLASSIFY_METHOD: check_classify, REGRESS_METHOD: check_regress}


def write_classes(
    signature: Signature, count: int, values: Values, result: Any
) -> None:
    """Writes one list of classes for each of the examples."""
    outputs = signature.outputs
    classes = values[outputs[CLASSES].name] if CLASSES in outputs else None
    scores = values[outputs[SCORES].name] if SCORES in outputs else None
    if classes is not None:
        _check_matrix(CLASSES, classes, count, types_pb2.DT_STRING)
    if scores is not None:
        _check_matrix(SCORES, scores, count, types_pb2.DT_FLOAT)
    if classes is not None and scores is not None:
        if classes.shape[1] != scores.shape[1]:
            raise invalid_argument(
                "Tensors class and score should match in dim_size(1). Got "
                f"{classes.shape[1]} vs. {scores.shape[1]}"
            )
    width = next(v.shape[1] for v in (classes, scores) if v is not None)
    for row in range(count):
        entry = result.classifications.add()
        for column in range(width):
            one = entry.classes.add()
            if classes is not None:
                one.label = classes[row, column].decode(errors="replace")
            if scores is not None:
                one.score = scores[row, column]


def write_regressions(
    signature: Signature, count: int, values: Values, result: Any
) -> None:
    """Writes one value for each of the examples."""
    output = values[signature.outputs[OUTPUTS].name]
    if output.ndim != 1 and output.shape[1:] != (1,):
        raise invalid_argument(
            "Expected output Tensor shape to be either [batch_size] or "
            f"[batch_size, 1] but got {_shape(output)}"
        )
    if len(output) != count:
        raise invalid_argument(
            f"Input batch size did not match output batch size: {count} vs. "
            f"{len(output)}"
        )
    if _dtype(output) != types_pb2.DT_FLOAT:
        raise invalid_argument(
            f"Expected output Tensor of DT_FLOAT.  Got: {_dtype_name(output)}"
        )
    for value in output.reshape(-1):
        result.regressions.add(value=value)


def _check_matrix(name: str, value: tensors.Array, count: int, dtype: int) -> None:
    if value.ndim != 2:
        raise invalid_argument(
            "Expected Tensor shape: [batch_size num_classes] but got " + _shape(value)
        )
    if _dtype(value) != dtype:
        raise invalid_argument(
            f"Expected {name} Tensor of {types_pb2.DataType.Name(dtype)}. Got: "
            f"{_dtype_name(value)}"
        )
    if len(value) != count:
        raise invalid_argument(
            f"Expected {name} output batch size of {count}. Got: {len(value)}"
        )


def _one_input(signature: Signature) -> None:
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")


def _dtype(value: tensors.Array) -> int:
    return int(tensors.to_proto(value[:0] if value.ndim else value).dtype)


def _dtype_name(value: tensors.Array) -> str:
    return str(types_pb2.DataType.Name(_dtype(value)))


def _shape(value: tensors.Array) -> str:
    sizes: Sequence[int] = value.shape
    return "[" + ",".join(map(str, sizes)) + "]"
