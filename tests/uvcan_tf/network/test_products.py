"""Products are those of NumPy on rounded factors."""

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from uvcan_tf.network.products import linear, products_in

RNG = np.random.default_rng(3)
X = RNG.normal(size=(2, 3, 40)).astype(np.float32)
W = RNG.normal(size=(40, 5)).astype(np.float32)
OF_ROUNDING = 2.0**-8  # of a result in bfloat16, relative to it


def rounded(x: np.ndarray) -> np.ndarray:
    return x.astype(ml_dtypes.bfloat16).astype(np.float64)


def test_a_product_of_float32_rounds_no_factor() -> None:
    with products_in("float32"):
        product = linear(X, W)
    np.testing.assert_allclose(product, X.astype(np.float64) @ W, rtol=1e-4, atol=1e-5)


def test_a_product_of_bfloat16_is_one_of_rounded_factors() -> None:
    with products_in("bfloat16"):
        product = linear(X, W)
    expected = rounded(X) @ rounded(W)
    assert product.dtype == tf.float32
    np.testing.assert_allclose(product, expected, rtol=OF_ROUNDING, atol=1e-3)
    assert np.abs(expected - X.astype(np.float64) @ W).max() > 1e-3  # it does round


def test_what_is_built_later_is_not_rounded() -> None:
    with pytest.raises(ValueError, match="stop"), products_in("bfloat16"):
        raise ValueError("stop")
    np.testing.assert_allclose(linear(X, W), X.astype(np.float64) @ W, atol=1e-5)


def test_gradients_are_float32() -> None:
    x, weights = tf.constant(X), tf.constant(W)
    with tf.GradientTape() as tape:
        tape.watch([x, weights])
        with products_in("bfloat16"):
            total = tf.reduce_sum(linear(x, weights))
    by_x, by_weights = tape.gradient(total, [x, weights])
    assert by_x.dtype == by_weights.dtype == tf.float32
    sums = rounded(W).sum(axis=1)
    np.testing.assert_allclose(
        by_x, np.broadcast_to(sums, X.shape), rtol=0.02, atol=0.05
    )
