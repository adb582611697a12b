"""A list in a cell is read as the list it is, or refused; never as one name."""

from __future__ import annotations

import json
import re

import hypothesis
import hypothesis.strategies as st
import pyarrow as pa
import pytest

from uvcan_tf.data.columns import multivalued
from uvcan_tf.errors import DataError

READ = {
    "a pipe": (["cat|dog", "fun", None, ""], [["cat", "dog"], ["fun"], None, None]),
    "a pipe somewhere": (["a|b", "c,d"], [["a", "b"], ["c,d"]]),
    "no list at all": (["cat", "a b", "x-y"], [["cat"], ["a b"], ["x-y"]]),
    "python": (
        ["['cat', 'dog']", "[]", "['it\\'s']"],
        [["cat", "dog"], None, ["it's"]],
    ),
    "json": (['["cat", "dog"]', '["ö", null]', None], [["cat", "dog"], ["ö"], None]),
    "numbers": (["[1, 2]", "[3]"], [["1", "2"], ["3"]]),
    "tuples and sets": (["('a', 'b')", "{'c'}"], [["a", "b"], ["c"]]),
    "brackets in some": (["[official]", "cat"], [["[official]"], ["cat"]]),
}
REFUSED = ["cat,dog", "cat, dog", "cat;dog", "a\tb", "['cat' 'dog']", "[[1], [2]]"]


@pytest.mark.parametrize(("cells", "expected"), READ.values(), ids=READ)
def test_a_certain_list_is_read(
    cells: list[str | None], expected: list[list[str] | None]
) -> None:
    assert multivalued("x", pa.array(cells)).to_pylist() == expected


@pytest.mark.parametrize("cell", REFUSED)
def test_an_uncertain_list_is_refused_with_either_cure(cell: str) -> None:
    with pytest.raises(DataError, match="write it so, or declare .* without") as error:
        multivalued("x", pa.array([cell]))
    assert repr(cell) in str(error.value)


NAMES = st.lists(
    st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1), min_size=1
)


@hypothesis.given(st.lists(NAMES, min_size=1), st.sampled_from([str, json.dumps]))
@hypothesis.example([["1E100"]], str)  # a number that has lost digits is refused
def test_what_python_and_json_print_is_read_back(lists: list[list[str]], write) -> None:  # type: ignore[no-untyped-def]
    hypothesis.assume(not any("|" in name for names in lists for name in names))
    cells = pa.array([write(names) for names in lists])
    try:
        expected = multivalued("x", pa.array(lists)).to_pylist()
    except DataError as error:
        with pytest.raises(DataError, match=re.escape(str(error))):
            multivalued("x", cells)
    else:
        assert multivalued("x", cells).to_pylist() == expected
