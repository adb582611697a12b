"""A moment is one number of milliseconds, whatever wrote it."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from uvcan_tf.data.times import timestamp
from uvcan_tf.errors import DataError

NOON = datetime.datetime(2022, 4, 9, 12, tzinfo=datetime.timezone.utc)
SECONDS = int(NOON.timestamp())
WRITTEN = {
    "seconds": [SECONDS],
    "seconds as text": [str(SECONDS)],
    "seconds as float": [float(SECONDS)],
    "seconds as float text": [f"{SECONDS}.0"],
    "milliseconds": [SECONDS * 1000],
    "microseconds": [SECONDS * 10**6],
    "nanoseconds": [SECONDS * 10**9],
    "nanoseconds as text": [str(SECONDS * 10**9)],
    "ISO": ["2022-04-09 12:00:00"],
    "ISO with T and Z": ["2022-04-09T12:00:00Z"],
    "ISO with a zone": ["2022-04-09T20:00:00+08:00"],
    "ISO without seconds": ["2022-04-09 12:00"],
}


@pytest.mark.parametrize("values", WRITTEN.values(), ids=WRITTEN)
def test_the_same_moment_is_the_same_number(values: list[object]) -> None:
    times = timestamp("x", pa.array([*values, None]))
    assert times.type == pa.int64()
    assert times.to_pylist() == [SECONDS * 1000, None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Shanghai"])
def test_a_timestamp_of_any_unit_is_its_moment(unit: str, zone: str | None) -> None:
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    column = pa.array([SECONDS * factor, None], pa.int64())
    times = timestamp("x", column.cast(pa.timestamp(unit, zone)))
    assert times.to_pylist() == [SECONDS * 1000, None]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64(), pa.string()])
def test_a_date_is_its_midnight(kind: pa.DataType) -> None:
    column = pa.array([datetime.date(2022, 4, 9)])
    midnight = (SECONDS - 12 * 3600) * 1000
    assert timestamp("x", column.cast(kind)).to_pylist() == [midnight]


@pytest.mark.parametrize("texts", [True, False])
def test_a_fraction_of_a_second_is_kept_to_the_millisecond(texts: bool) -> None:
    values = np.array([1593878903.438, 1593878904.0, 1593878905.9999])
    column = pa.array([repr(float(v)) for v in values] if texts else values)
    expected = [1593878903438, 1593878904000, 1593878905999]
    assert timestamp("x", column).to_pylist() == expected


def test_a_large_whole_number_stays_exact() -> None:
    times = timestamp("x", pa.array([1649505600123456789, 1649505600123999999]))
    assert times.to_pylist() == [1649505600123, 1649505600123]


def test_negative_and_missing_moments_are_moments() -> None:
    assert timestamp("x", pa.array(["-5", None, ""])).to_pylist() == [-5000, None, None]
    assert timestamp("x", pa.array([None, None])).to_pylist() == [None, None]


@pytest.mark.parametrize(
    "text", ["noon", "2022-13-40 12:00:00", "04/09/2022", "1e300", "2022-04-09 25:00"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="x should be") as error:
        timestamp("x", pa.array([text, "2022-04-09"]))
    assert "Received: " in str(error.value)
