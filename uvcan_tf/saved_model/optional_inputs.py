"""Signatures with optional inputs, of which a request may leave out any.

TensorFlow Serving fills in a default where an input is left out, and joins requests
into batches by their first dimension. So every default is of one row, which stands for
all users of a request, and every value that means nothing is the empty string.
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
    `defaults` is one row of one empty string.
    """
    optional = optional or {}
    given = defaults or {}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(spec.name, kind) for spec in required]
    for name, spec in optional.items():
        nothing = tf.zeros([1] * (spec.shape.rank or 2), spec.dtype)
        default = given.get(name, nothing)
        parameters.append(inspect.Parameter(name, kind, default=default))

    def call(*inputs: tf.Tensor) -> Any:
        named = zip((p.name for p in parameters), inputs, strict=True)
        return body(**dict(named))

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    specs = [*required, *optional.values()]
    return tf.function(call, input_signature=specs, autograph=False)


def for_each(given: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """[B, ...]: a row for each user, of one for each, one for all, or none.

    None at all, [0, ...], is a row of zeros or of one empty string.
    """
    none = tf.equal(tf.shape(given)[0], 0)
    shape = tf.shape(given)
    more = [[0, 1]] + [[0, 0]] * (len(given.shape) - 1)
    if len(given.shape) == 2:
        more[1] = [0, tf.cast(tf.equal(shape[1], 0), tf.int32)]
    padded = tf.pad(given, tf.where(none, more, tf.zeros_like(more)))
    rest = tf.shape(padded)[1:]
    return tf.broadcast_to(padded, tf.concat([[batch], rest], axis=0))
