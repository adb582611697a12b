"""A column cut into parts is read as the whole column is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pyarrow as pa
import pytest

from uvcan_tf.data import columns, deciding
from uvcan_tf.data.deciding import of_lists, of_names, of_times
from uvcan_tf.data.times import timestamp
from uvcan_tf.errors import DataError

Read = Callable[..., pa.Array]

NAMES = ["12.0", "7.5", "1e3", "12", "True", "False", "TRUE", "true", "u1", "", None]
LISTS = ["a|b", "a", "1.0", "2.5|3.0", "['x', 'y']", '["1.0"]', "a,b", "", None]
TIMES = ["1649505600", "1649505600.5", "1649505600000", "2022-04-09", "", None]
TIMES += ["2022-04-09 12:00:00", "09.04.2022", "9223372036854775808"]
FLOATS = [1.0, 2.0, 2.5, float("nan"), None]
CASES: dict[str, tuple[Read, Any, list[Any], pa.DataType]] = {
    "names": (columns.categorical, of_names, NAMES, pa.string()),
    "floats": (columns.categorical, of_names, FLOATS, pa.float64()),
    "text lists": (columns.multivalued, of_lists, LISTS, pa.string()),
    "lists": (
        columns.multivalued,
        of_lists,
        [["1.0", "2.0"], ["2.5"], ["a", ""], [], None],
        pa.list_(pa.string()),
    ),
    "times": (timestamp, of_times, TIMES, pa.string()),
}


def read(reader: Read, column: pa.Array, *others: pa.Array) -> list[Any] | None:
    """The values; None where the column cannot be read."""
    try:
        found = reader("a column", pa.chunked_array([column]), *others)
    except DataError:
        return None
    values: list[Any] = found.to_pylist()
    return values


@pytest.mark.parametrize("case", CASES)
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=150)
def test_parts_are_read_as_the_whole_is(case: str, data: st.DataObject) -> None:
    reader, of, values, kind = CASES[case]
    some = data.draw(st.lists(st.sampled_from(values), min_size=1, max_size=4))
    whole = data.draw(st.lists(st.sampled_from(some), min_size=1, max_size=12))
    cut = data.draw(st.integers(0, len(whole)))
    parts = [pa.array(part, kind) for part in (whole[:cut], whole[cut:])]
    others = pa.concat_arrays([of(pa.chunked_array([part])) for part in parts])
    found = [read(reader, part, others) for part in parts]
    expected = read(reader, pa.array(whole, kind))
    if expected is None:
        assert None in found
    else:
        assert [value for part in found for value in part or []] == expected


def test_a_word_answers_all_questions_of_a_column_of_names() -> None:
    column = pa.chunked_array([pa.array(["u1", "12.0", "7.5", "True"] * 100)])
    assert deciding.of_names(column).to_pylist() == ["u1"]


def test_what_was_chosen_from_what_was_chosen_decides_the_same() -> None:
    column = pa.chunked_array([pa.array(["1.0", "2.5", "3.0"] * 9)])
    once = deciding.of_names(column)
    assert deciding.of_names(pa.chunked_array([once])).to_pylist() == once.to_pylist()
    assert "2.5" in once.to_pylist()
