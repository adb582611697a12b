"""Columns in their canonical types, whatever the file they came from.

`where` names the column in messages; rows count from 1 after the header.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.errors import DataError

__all__ = [
    "categorical",
    "ids",
    "label",
    "multivalued",
]

_SEPARATOR: Final = "|"
_ZERO, _ONE = ("0", "0.0", "false"), ("1", "1.0", "true")
_FLOAT: Final = re.compile(r"^-?[0-9]+(\.[0-9]+([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)$")
_LAST_EXACT: Final = {
    pa.float16(): 2.0**11,
    pa.float32(): 2.0**24,
    pa.float64(): 2.0**53,
}


def categorical(where: str, column: pa.ChunkedArray) -> pa.Array:
    """Names as strings; null and the empty string become null."""
    strings = _strings(where, combined(column))
    return pc.if_else(pc.equal(strings, ""), pa.scalar(None, pa.string()), strings)


def ids(where: str, column: pa.ChunkedArray) -> pa.Array:
    """Ids as strings.

    Raises:
      DataError: an empty id; names its row.
    """
    strings = categorical(where, column)
    if strings.null_count:
        row = pc.index(pc.is_null(strings), True).as_py()
        raise DataError(
            f"{where} should have an id in every row. Received: an empty one in row "
            f"{row + 1}, {strings.null_count} such rows."
        )
    return strings


def multivalued(where: str, column: pa.ChunkedArray) -> pa.Array:
    """Lists of strings, from lists or from `|`-separated text; none become null."""
    array = combined(column)
    if not is_list(array.type):
        array = pc.split_pattern(categorical(where, column), _SEPARATOR)
    rows = len(array)
    parents = pc.list_parent_indices(array)
    values = categorical(where, pc.list_flatten(array))
    kept = pc.is_valid(values)
    values, parents = values.filter(kept), parents.filter(kept)
    counts = np.bincount(parents.to_numpy(zero_copy_only=False), minlength=rows)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    empty = np.append(counts == 0, False)
    return pa.ListArray.from_arrays(pa.array(offsets, mask=empty), values)


def label(where: str, column: pa.ChunkedArray) -> pa.Array:
    """0 or 1 as int8.

    Raises:
      DataError: any other value, or none; names the first row.
    """
    strings = categorical(where, column)
    one = pc.is_in(strings, value_set=pa.array(_ONE))
    known = pc.or_(one, pc.is_in(strings, value_set=pa.array(_ZERO)))
    if not pc.all(known).as_py():
        row = pc.index(known, False).as_py()
        raise DataError(
            f"{where} should be 0 or 1. Received: {strings[row].as_py()!r} in row "
            f"{row + 1}, {count_false(known)} such rows."
        )
    return one.cast(pa.int8())


def _strings(where: str, array: pa.Array) -> pa.Array:
    """Text of any scalar type; a float that is a whole number loses its '.0'.

    So does text that only a float can have written, `12.0` in every cell, so that a
    value means the same in CSV and in Parquet.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        if pa.types.is_floating(array.type):
            return _whole(where, array).cast(pa.string())
        strings = array.cast(pa.string())
        return _written_by_floats(where, strings)
    except pa.ArrowException:
        raise DataError(
            f"{where} should be strings or numbers. Received: {array.type}."
        ) from None


def _written_by_floats(where: str, strings: pa.Array) -> pa.Array:
    """The same, but for text in which every cell is a whole number with a fraction."""
    text = strings.drop_null()
    text = text.filter(pc.not_equal(text, ""))
    if not len(text) or not _FLOAT.match(text[0].as_py()):
        return strings
    if not pc.all(pc.match_substring_regex(text, _FLOAT.pattern)).as_py():
        return strings
    numbers = pc.if_else(pc.equal(strings, ""), pa.scalar(None, pa.string()), strings)
    whole = _whole(where, numbers.cast(pa.float64()))
    return whole.cast(pa.string()) if pa.types.is_integer(whole.type) else strings


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


def is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
    )


def combined(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        raise DataError(
            f"A column of {column.nbytes} bytes is too large for one array."
        )
    return whole


def count_false(array: pa.Array) -> int:
    return len(array) - int(pc.sum(array).as_py() or 0)
