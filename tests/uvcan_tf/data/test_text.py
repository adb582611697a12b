"""The same value is the same text, whether a CSV or a Parquet file holds it."""

from __future__ import annotations

import datetime
import decimal
import io
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from uvcan_tf.data.text import text
from uvcan_tf.errors import DataError

DECIMAL = decimal.Decimal
SAME = {
    "12": [
        [12],
        [12.0],
        ["12"],
        ["12.0"],
        ["12."],
        [DECIMAL("12")],
        [DECIMAL("12.00")],
    ],
    "true": [[True], ["True"], ["TRUE"], ["true"]],
    "false": [[False], ["False"], ["FALSE"]],
    "0.5": [[0.5], ["0.5"], [np.float16(0.5)], [np.float32(0.5)], [DECIMAL("0.5")]],
    "2022-04-09": [
        [datetime.date(2022, 4, 9)],
        [datetime.datetime(2022, 4, 9)],
        ["2022-04-09"],
    ],
    "2022-04-09 12:00:00": [[datetime.datetime(2022, 4, 9, 12)]],
    "a": [["a"], [b"a"]],
    "100": [["1e2"], [100.0], ["1.0E+02"]],
    "7136813507399154757": [[7136813507399154757], [DECIMAL("7136813507399154757.00")]],
}
CASES = [(expected, values) for expected, each in SAME.items() for values in each]


@pytest.mark.parametrize(("expected", "values"), CASES)
def test_the_same_value_is_the_same_text(expected: str, values: list[Any]) -> None:
    assert text("x", pa.array(values)).to_pylist() == [expected]
    assert text("x", pa.array([*values, None])).to_pylist() == [expected, None]


@pytest.mark.parametrize(
    "values",
    [["007", "12.0"], ["1.10", "2.0"], ["True", "yes"], ["TRUE", "True"], ["12e", "1"]],
)
def test_text_that_is_not_all_of_one_meaning_stays(values: list[str]) -> None:
    assert text("x", pa.array(values)).to_pylist() == values


COLUMNS = (
    st.lists(st.integers(-(2**53), 2**53), min_size=1)
    | st.lists(st.booleans(), min_size=1)
    | st.lists(st.none() | st.integers(0, 10**6).map(float), min_size=1)
    | st.lists(st.floats(-1e6, 1e6, width=32).map(lambda f: round(f, 2)), min_size=1)
    | st.lists(
        st.text(st.characters(whitelist_categories=["L"]), min_size=1), min_size=1
    )
)


@hypothesis.given(COLUMNS)
def test_pandas_writes_the_same_column_to_either_format(values: list[Any]) -> None:
    frame = pd.DataFrame({"x": values})
    hypothesis.assume(not frame.x.isna().all())
    csv = pd.read_csv(
        io.StringIO(frame.to_csv(index=False)), dtype=str, keep_default_na=False
    )
    ours = text("x", pa.array(csv.x.replace("", None).to_list(), pa.string()))
    assert (
        ours.to_pylist() == text("x", pa.array(frame.x, from_pandas=True)).to_pylist()
    )


@pytest.mark.parametrize("column", [pa.array([["a"]]), pa.array([{"a": 1}])])
def test_what_has_no_text_is_refused(column: pa.Array) -> None:
    with pytest.raises(DataError, match="x should be strings or numbers. Received: "):
        text("x", column)


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(
        DataError, match="x should be strings or numbers. Received: bin"
    ):
        text("x", pa.array([b"\xff\xfe"]))
