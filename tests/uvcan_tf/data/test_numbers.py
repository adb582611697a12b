"""A number means the same in every format, and its column tells bounds or moments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from uvcan_tf.data.numbers import number, scale_of
from uvcan_tf.errors import DataError
from uvcan_tf.features import Numeric

NONE = None


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["12", "", None, "-0.5", "1e3"]),
        pa.array([12, NONE, NONE, -0.5, 1000], pa.float64()),
        pa.array([12, float("nan"), NONE, -0.5, 1000], pa.float32()),
        pa.array(np.array([12, np.nan, np.nan, -0.5, 1000], np.float16)),
    ],
)
def test_numbers_and_their_text_are_the_same(column: pa.Array) -> None:
    found = number("x", pa.chunked_array([column]))
    assert found.type == pa.float32()
    assert found.to_pylist() == [12.0, None, None, -0.5, 1000.0]


def test_large_whole_numbers_need_not_be_exact() -> None:
    assert number("x", pa.chunked_array([[2**60, 3]])).to_pylist() == [2.0**60, 3.0]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (["1", "two"], "x should be numbers. Received: 'two' in row 2"),
        ([1.0, float("inf")], "finite numbers of 32 bits. Received: inf in row 2, 1"),
        (["1e60", "1"], "finite numbers of 32 bits. Received: '1e60' in row 1"),
    ],
)
def test_what_is_no_number_is_named(values: list[Any], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        number("x", pa.chunked_array([values]))


@pytest.mark.parametrize("rows", [3, 10, 97])
@pytest.mark.parametrize("count", [2, 5, 7])
def test_buckets_hold_about_as_many_rows_each(rows: int, count: int) -> None:
    values = np.random.default_rng(rows).permutation(rows).astype(np.float32)
    column = pa.chunked_array([pa.array(values), pa.array([None], pa.float32())])
    bounds = scale_of(Numeric("x", "buckets", count), column)
    sizes = np.bincount((values[:, None] >= bounds).sum(axis=1), minlength=count)
    assert len(bounds) == count - 1
    assert sizes.max() - sizes.min() <= 1


def test_a_standardized_column_has_mean_and_deviation() -> None:
    column = pa.chunked_array([pa.array([1.0, None, 4.0, 7.0], pa.float32())])
    found = scale_of(Numeric("x", "standardized"), column)
    np.testing.assert_allclose(found, [4, np.sqrt(6)], rtol=1e-6)


@pytest.mark.parametrize(
    "feature", [Numeric("x", "standardized"), Numeric("x", "buckets", 3)]
)
def test_a_column_without_a_number_has_a_scale(feature: Numeric) -> None:
    column = pa.chunked_array([pa.array([None, None], pa.float32())])
    assert scale_of(feature, column).tolist() == [0.0, 0.0]
