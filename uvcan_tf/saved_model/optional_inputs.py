"""Signatures with optional inputs, of which a request may leave out any.

TensorFlow Serving fills in a default where an input is left out, and joins requests
into batches by their first dimension. So every default is of one row, which stands for
all users of a request. A value that means nothing is the empty string, or not a number
(NaN).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf


def signature_function(
    body: Callable[..., Any],
    required: Sequence[tf.TensorSpec],
    optional: Mapping[str, tf.TensorSpec] | None = None,
    defaults: Mapping[str, tf.Tensor] | None = None,
) -> Any:
    """A function whose optional inputs are saved as the signature's defaults.

    Only a Python default that is a tensor is saved; that of an input without one in
    `defaults` is one row that means nothing.
    """
    optional = optional or {}
    given = defaults or {}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(spec.name, kind) for spec in required]
    for name, spec in optional.items():
        default = given.get(name, nothing(spec))
        parameters.append(inspect.Parameter(name, kind, default=default))

    def call(*inputs: tf.Tensor) -> Any:
        named = zip((p.name for p in parameters), inputs, strict=True)
        return body(**dict(named))

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    specs = [*required, *optional.values()]
    return tf.function(call, input_signature=specs, autograph=False)


def nothing(spec: tf.TensorSpec) -> tf.Tensor:
    """One row of an input in which nothing is told."""
    shape = [size or 1 for size in spec.shape] if spec.shape.rank else [1, 1]
    return tf.fill(shape, _missing(spec.dtype))


def for_each(given: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """[B, ...]: a row for each user, of one for each, one for all, or none.

    None at all, [0, ...], is a row of zeros of integers, or of one value that means
    nothing.
    """
    none = tf.equal(tf.shape(given)[0], 0)
    shape = tf.shape(given)
    more = [[0, 1]] + [[0, 0]] * (len(given.shape) - 1)
    if len(given.shape) == 2:
        more[1] = [0, tf.cast(tf.equal(shape[1], 0), tf.int32)]
    missing = _missing(given.dtype)
    padded = tf.pad(
        given, tf.where(none, more, tf.zeros_like(more)), "CONSTANT", missing
    )
    rest = tf.shape(padded)[1:]
    return tf.broadcast_to(padded, tf.concat([[batch], rest], axis=0))


def _missing(dtype: tf.DType) -> tf.Tensor:
    return (
        tf.constant(float("nan"), dtype) if dtype.is_floating else tf.zeros([], dtype)
    )
