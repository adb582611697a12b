"""Moments as milliseconds since 1970 in UTC, whatever type and text the file has."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.data.columns import categorical
from uvcan_tf.data.text import combined, count_false
from uvcan_tf.errors import DataError

__all__ = ["NUMBER", "timestamp"]

NUMBER: Final = r"^[+-]?[0-9]{1,19}(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?$"
_ISO: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
    r" ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)?)?$"
)
#: A column's largest number tells its unit: seconds are this small until the year
#: 5138, and milliseconds have been larger since 1973.
_UNITS: Final = ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3), (np.inf, 1e-6))


def timestamp(
    where: str, column: pa.ChunkedArray, others: pa.Array | None = None
) -> pa.Array:
    """Moments as int64 milliseconds; null stays null.

    Numbers are seconds, milli-, micro- or nanoseconds, with or without a fraction, as
    the largest one tells. Text is ISO 8601; without a time zone it is in UTC. `others`
    are as in `columns`.

    Raises:
      DataError: any other value; names the first row.
    """
    array = combined(column)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if others is not None and len(others):  # pandas reads all as it reads the first
        return timestamp(where, pa.concat_arrays([others, array]))[len(others) :]
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        return array.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
    strings = categorical(where, array)
    known = pc.is_valid(strings).to_numpy(zero_copy_only=False)
    cells = strings.drop_null()
    if pc.all(pc.match_substring_regex(cells, NUMBER)).as_py() is not False:
        moments = _of_numbers(where, cells)
    else:
        moments = _of_text(where, strings, cells)
    values = np.zeros(len(strings), np.int64)
    values[known] = moments
    return pa.array(values, mask=~known)


def _of_numbers(where: str, cells: pa.Array) -> npt.NDArray[np.int64]:
    """Whole numbers stay exact; of a fraction the part below a millisecond is cut."""
    try:
        numbers = cells.cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        numbers = cells.cast(pa.float64()).to_numpy()
    largest = float(np.abs(numbers.astype(np.float64)).max(initial=0))
    factor = next(factor for bound, factor in _UNITS if largest < bound)
    if factor < 1 and numbers.dtype == np.int64:
        return numbers // int(1 / factor)
    if numbers.dtype == np.int64:
        return numbers * int(factor)
    moments = np.floor(np.round(numbers * factor, 3))
    if not (np.abs(moments) < 2.0**62).all():
        raise DataError(f"{where} should be moments. Received: {largest:g}.")
    return moments.astype(np.int64)


def _of_text(where: str, strings: pa.Array, cells: pa.Array) -> npt.NDArray[np.int64]:
    fits = pc.fill_null(pc.match_substring_regex(strings, _ISO), True)
    if not pc.all(fits).as_py():
        number = pc.fill_null(pc.match_substring_regex(strings, NUMBER), False)
        either = pc.or_(fits, number)
        fits = fits if pc.all(either).as_py() else either
        row = pc.index(fits, False).as_py()
        raise DataError(
            f"{where} should be whole or fractional seconds, milliseconds, or times "
            f"such as 2022-04-09 12:00:00. Received: {strings[row].as_py()!r} in row "
            f"{row + 1}, {count_false(fits)} such rows."
        )
    distinct = cells.dictionary_encode()
    try:
        with warnings.catch_warnings():  # of what it then refuses in words of its own
            warnings.filterwarnings("ignore", "Could not infer format", UserWarning)
            moments = pd.to_datetime(distinct.dictionary.to_pylist(), utc=True)
    except (ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{where} should be times such as 2022-04-09 12:00:00. Received: {reason}."
        ) from None
    milliseconds = np.asarray(moments.asi8) // 1_000_000
    return np.asarray(milliseconds[distinct.indices.to_numpy()])
