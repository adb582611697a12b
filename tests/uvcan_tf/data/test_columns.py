"""One canonical form of a column, whatever its type on disk."""

from __future__ import annotations

import pyarrow as pa
import pytest

from uvcan_tf.data import columns
from uvcan_tf.errors import DataError


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["a", "", None]), ["a", None, None]),
        (pa.array([1, None], pa.int64()), ["1", None]),
        (pa.array([1e10, None, float("nan")]), ["10000000000", None, None]),
        (pa.array([0.5, 2.0]), ["0.5", "2.0"]),
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
