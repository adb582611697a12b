"""One canonical form of a column, whatever its type on disk."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from uvcan_tf.data import columns
from uvcan_tf.data.errors import DataError


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["a", "", None]), ["a", None, None]),
        (pa.array([1, None], pa.int64()), ["1", None]),
        (pa.array([1e10, None, float("nan")]), ["10000000000", None, None]),
        (pa.array([0.5, 2.0]), ["0.5", "2"]),
        (pa.array([b"a"]), ["a"]),
        (pa.array(["b", "b"]).dictionary_encode(), ["b", "b"]),
    ],
)
def test_any_scalar_becomes_a_string(column: pa.Array, expected: list[str]) -> None:
    assert columns.categorical("x", column).to_pylist() == expected


def test_a_list_is_not_a_name() -> None:
    with pytest.raises(DataError, match="x should be strings or numbers"):
        columns.categorical("x", pa.array([["a"]]))


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a|b", None, "", "|c|", "|"]),
        pa.array([["a", "b"], None, [], ["", "c", None], [None]]),
        pa.array([["a", "b"], None, [], ["c"], []], pa.large_list(pa.string())),
    ],
)
def test_lists_lose_their_empty_names(column: pa.Array) -> None:
    expected = [["a", "b"], None, None, ["c"], None]
    assert columns.multivalued("x", column).to_pylist() == expected


def test_chunks_are_read_as_one_column() -> None:
    column = pa.chunked_array([[["a"], None], [["b", "c"]], [[]]])
    lists = columns.multivalued("x", column)
    assert lists.to_pylist() == [["a"], None, ["b", "c"], None]


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64()), pa.list_(pa.float32(), 2), pa.large_list(pa.float32())],
)
def test_vectors_become_fixed_size_lists(kind: pa.DataType) -> None:
    column = pa.array([[1, 2], None, [3, 4]], kind)
    vectors = columns.dense("x", column, 2, pa.array(["1", "2", "3"]))
    assert vectors.type == pa.list_(pa.float32(), 2)
    assert vectors.to_pylist() == [[1, 2], None, [3, 4]]


def test_vectors_become_plain_lists_again() -> None:
    values = np.arange(15, dtype=np.float32).reshape(5, 3)
    present = np.array([True, False, True, True, False])
    vectors = columns.vectors_to_column("x", values, present, pa.array(list("abcde")))
    parts = pa.chunked_array([vectors.slice(0, 2), vectors.slice(2)])
    lists = columns.as_lists(parts)
    assert lists.type == pa.list_(pa.float32())
    assert lists.to_pylist() == [[0, 1, 2], None, [6, 7, 8], [9, 10, 11], None]


def test_times_of_any_whole_type_become_int64() -> None:
    for column in (
        pa.array(["-5", None]),
        pa.array([-5, None]),
        pa.array([-5.0, None]),
    ):
        times = columns.timestamp("x", column)
        assert (times.type, times.to_pylist()) == (pa.int64(), [-5, None])


def test_a_vector_column_without_a_single_vector_is_written() -> None:
    column = pa.chunked_array([pa.nulls(2, pa.list_(pa.float32(), 3))])
    assert columns.as_lists(column).to_pylist() == [None, None]
