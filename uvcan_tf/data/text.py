"""Values of any scalar type as text, by meaning and not by format.

A CSV has text only, which the writer made of numbers and booleans; Parquet has the
numbers and booleans themselves. A column becomes the same text from either:

    12, 12.0, Decimal("12.00")     12      where every value of the column is whole
    0.5, 2.0                       0.5, 2.0, as pandas writes them
    True, TRUE, true               true    where every value is a boolean
    2022-04-09 00:00:00            2022-04-09, where every time is midnight
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.errors import DataError

__all__ = [
    "BOOLEANS",
    "FRACTION",
    "beside",
    "combined",
    "count_false",
    "is_list",
    "numbers",
    "text",
]

FRACTION: Final = re.compile(r"^-?[0-9]+(\.[0-9]*([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)$")
_NUMBER: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_LAST_EXACT: Final = {
    pa.float16(): 2.0**11,
    pa.float32(): 2.0**24,
    pa.float64(): 2.0**53,
}
BOOLEANS: Final = (["True", "False"], ["TRUE", "FALSE"])


def text(where: str, array: pa.Array) -> pa.Array:
    """Strings of an array of any scalar type; null stays null, NaN becomes it.

    Raises:
      DataError: the type has no text, or a float has lost digits of an id.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        if pa.types.is_floating(array.type):
            return _of_floats(where, array)
        if pa.types.is_temporal(array.type):
            return _of_times(array)
        return _of_text(where, _of_scalars(array))
    except (pa.ArrowException, UnicodeDecodeError):
        raise DataError(
            f"{where} should be strings or numbers. Received: {array.type}."
        ) from None


def numbers(where: str, column: pa.ChunkedArray) -> pa.Array:
    """float64; what is missing or empty is null.

    Raises:
      DataError: a value that is no number; names the first row.
    """
    array = combined(column)
    strings = array if pa.types.is_string(array.type) else text(where, array)
    strings = pc.if_else(pc.equal(strings, ""), pa.scalar(None, pa.string()), strings)
    fits = pc.fill_null(pc.match_substring_regex(strings, _NUMBER), True)
    if not pc.all(fits).as_py():
        row = pc.index(fits, False).as_py()
        raise DataError(
            f"{where} should be numbers. Received: {strings[row].as_py()!r} in row "
            f"{row + 1}, {count_false(fits)} such rows."
        )
    return strings.cast(pa.float64())


def is_list(kind: pa.DataType) -> bool:
    """Whether values of this type are lists, of any of Arrow's three kinds."""
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
    )


def combined(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as one array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        raise DataError(
            f"A column of {column.nbytes} bytes is too large for one array."
        )
    return whole


def beside(column: pa.ChunkedArray | pa.Array, others: pa.Array | None) -> pa.Array:
    """The column as one array, with cells of other parts of the same column behind."""
    array = combined(column)
    return array if others is None else pa.concat_arrays([array, others])


def count_false(array: pa.Array) -> int:
    """The number of false values in an array without nulls."""
    return len(array) - int(pc.sum(array).as_py() or 0)


def _of_scalars(array: pa.Array) -> pa.Array:
    if pa.types.is_decimal(array.type):
        values = array.to_pylist()
        whole = all(value is None or value == int(value) for value in values)
        form = (lambda value: str(int(value))) if whole else "{:f}".format
        return pa.array([v if v is None else form(v) for v in values], pa.string())
    strings = array.cast(pa.string())
    strings.validate(full=True)  # binary may hold anything
    return strings


def _of_text(where: str, strings: pa.Array) -> pa.Array:
    """The same, but for text in which every cell is a whole number or a boolean."""
    cells = strings.drop_null()
    cells = cells.filter(pc.not_equal(cells, ""))
    if not len(cells):
        return strings
    for spelled in BOOLEANS:
        if pc.all(pc.is_in(cells, value_set=pa.array(spelled))).as_py():
            return pc.utf8_lower(strings)
    if not FRACTION.match(cells[0].as_py()):
        return strings
    if not pc.all(pc.match_substring_regex(cells, FRACTION.pattern)).as_py():
        return strings
    numbers = pc.if_else(pc.equal(strings, ""), pa.scalar(None, pa.string()), strings)
    whole = _whole(where, numbers.cast(pa.float64()))
    return whole.cast(pa.string()) if pa.types.is_integer(whole.type) else strings


def _of_floats(where: str, array: pa.Array) -> pa.Array:
    numbers = _whole(where, array)
    strings = numbers.cast(pa.string())
    if pa.types.is_integer(numbers.type):
        return strings
    return pc.replace_substring_regex(strings, r"^(-?[0-9]+)$", r"\1.0")


def _of_times(array: pa.Array) -> pa.Array:
    if getattr(array.type, "tz", None):
        array = array.cast(pa.timestamp(array.type.unit))  # the moment, in UTC
    strings = pc.replace_substring_regex(array.cast(pa.string()), r"\.0+$", "")
    if pc.all(pc.ends_with(strings, " 00:00:00")).as_py():
        strings = pc.replace_substring(strings, " 00:00:00", "")
    return strings


def _whole(where: str, array: pa.Array) -> pa.Array:
    """Floats as int64 where all are whole (pandas' ids with gaps); NaN is null.

    Raises:
      DataError: a whole number so large that floats leave some out: digits are lost.
    """
    kind = array.type
    if pa.types.is_float16(kind):  # Arrow has no arithmetic of it
        array = pa.array(array.to_numpy(zero_copy_only=False).astype(np.float32))
    array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    lost = pc.greater(pc.abs(array), _LAST_EXACT[kind])
    if pc.any(lost).as_py():
        row = pc.index(pc.fill_null(lost, False), True).as_py()
        raise DataError(
            f"{where} should be whole numbers or text. Received: {kind} "
            f"{array[row].as_py():.17g} in row {row + 1}, which has lost digits: above "
            f"{_LAST_EXACT[kind]:.0f} not every whole number has a {kind} of its own. "
            "Write the column anew from its source, as int64 or text."
        )
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid:
        return array
