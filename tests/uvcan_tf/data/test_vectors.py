"""Vectors keep their values and their gaps."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from uvcan_tf.data.vectors import as_lists, dense, vectors_to_column


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64()), pa.list_(pa.float32(), 2), pa.large_list(pa.float32())],
)
def test_vectors_become_fixed_size_lists(kind: pa.DataType) -> None:
    column = pa.array([[1, 2], None, [3, 4]], kind)
    vectors = dense("x", column, 2, pa.array(["1", "2", "3"]))
    assert vectors.type == pa.list_(pa.float32(), 2)
    assert vectors.to_pylist() == [[1, 2], None, [3, 4]]


def test_vectors_become_plain_lists_again() -> None:
    values = np.arange(15, dtype=np.float32).reshape(5, 3)
    present = np.array([True, False, True, True, False])
    vectors = vectors_to_column("x", values, present, pa.array(list("abcde")))
    parts = pa.chunked_array([vectors.slice(0, 2), vectors.slice(2)])
    lists = as_lists(parts)
    assert lists.type == pa.list_(pa.float32())
    assert lists.to_pylist() == [[0, 1, 2], None, [6, 7, 8], [9, 10, 11], None]


def test_a_vector_column_without_a_single_vector_is_written() -> None:
    column = pa.chunked_array([pa.nulls(2, pa.list_(pa.float32(), 3))])
    assert as_lists(column).to_pylist() == [None, None]
