"""The places of the greatest numbers, as a stable sort of all has them."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from uvcan_tf.catalogue.greatest import BLOCK, greatest


@pytest.mark.parametrize("count", [0, 1, 3, 7, 100, 7 * BLOCK])
@pytest.mark.parametrize("values", [5, 1_000_000])  # with and without equal numbers
def test_they_are_those_of_a_stable_sort(count: int, values: int) -> None:
    rng = np.random.default_rng(count)
    numbers = rng.integers(0, values, [3, 7 * BLOCK]).astype(np.float32)
    order = np.argsort(-numbers, axis=1, kind="stable")[:, :count]
    np.testing.assert_array_equal(greatest(tf.constant(numbers), count), order)


def test_no_row_has_none() -> None:
    assert greatest(tf.zeros([0, 2 * BLOCK]), 3).shape == [0, 3]
