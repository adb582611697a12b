"""Matrix products, in the precision that training asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

import tensorflow as tf

_PRECISION: Final = ContextVar("precision of products", default="float32")


@contextlib.contextmanager
def products_in(precision: str) -> Iterator[None]:
    """Rounds the factors and the result of every `linear` that is built inside.

    What comes before and after it, gradients by weights included, stays float32.

    Args:
      precision: "bfloat16", which has the range of float32, so that no loss needs a
        scale; or "float32", which rounds nothing.
    """
    before = _PRECISION.set(precision)
    try:
        yield
    finally:
        _PRECISION.reset(before)


def linear(x: tf.Tensor, W: tf.Tensor) -> tf.Tensor:
    """[..., K] times [K, J] or [K], as one flat matrix product.

    Unlike `tf.matmul` and `tf.einsum`, which batch over the leading axes; TensorFlow
    2.16's oneDNN crashes on that with a shared right-hand side.
    """
    x = tf.convert_to_tensor(x)
    inside = _PRECISION.get()
    product = tf.tensordot(tf.cast(x, inside), tf.cast(W, inside), axes=1)
    return tf.cast(product, x.dtype)
