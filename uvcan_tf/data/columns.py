"""Columns in their canonical types, whatever the file they came from.

`where` names the column in messages; rows count from 1 after the header.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.data.errors import DataError

__all__ = [
    "as_lists",
    "categorical",
    "dense",
    "ids",
    "label",
    "multivalued",
    "timestamp",
    "vectors_to_column",
]

_SEPARATOR: Final = "|"
_ZERO, _ONE = ("0", "0.0", "false"), ("1", "1.0", "true")
_ROWS_A_BLOCK: Final = 4096
_FLOAT: Final = re.compile(r"^-?[0-9]+(\.[0-9]+([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)$")
_LAST_EXACT: Final = {
    pa.float16(): 2.0**11,
    pa.float32(): 2.0**24,
    pa.float64(): 2.0**53,
}


def categorical(where: str, column: pa.ChunkedArray) -> pa.Array:
    """Names as strings; null and the empty string become null."""
    strings = _strings(where, _combined(column))
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
    array = _combined(column)
    if not _is_list(array.type):
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


def dense(
    where: str, column: pa.ChunkedArray, length: int, ids: pa.Array
) -> pa.FixedSizeListArray:
    """Vectors, float32 [rows, length]; a null or empty list is a missing vector.

    Raises:
      DataError: a vector of another length, or with NaN or infinity; names its id.
    """
    array = _combined(column)
    if not _is_list(array.type):
        raise DataError(
            f"{where} should be a list column of a Parquet file, or a `.npy` file of "
            f"vectors beside the table. Received: {array.type}."
        )
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    lengths = lengths.to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero((lengths != length) & (lengths != 0))
    if wrong.size:
        raise DataError(
            f"{where} should have vectors of length {length}. Received: "
            f"{lengths[wrong[0]]} for '{ids[wrong[0]]}', {wrong.size} such rows."
        )
    try:
        flat = pc.list_flatten(array).cast(pa.float32())
    except pa.ArrowException:
        raise DataError(
            f"{where} should hold numbers. Received: {array.type}."
        ) from None
    values = flat.to_numpy(zero_copy_only=False).reshape(-1, length)
    present = lengths != 0
    if not present.all():
        values, found = np.zeros((len(array), length), np.float32), values
        values[present] = found
    return vectors_to_column(where, values, present, ids)


def vectors_to_column(
    where: str, values: npt.NDArray[Any], present: npt.NDArray[Any], ids: pa.Array
) -> pa.FixedSizeListArray:
    """Vectors [rows, length] as a column that shares their memory.

    Args:
      where: the column's name in messages.
      values: float32 [rows, length], in any memory order.
      present: bool [rows]; false makes the row null.
      ids: the rows' ids, for messages.

    Raises:
      DataError: a value is NaN or infinite; names the row's id.
    """
    values = np.ascontiguousarray(values, np.float32)  # Arrow sees memory, not strides
    rows, length = values.shape
    for start in range(0, rows, _ROWS_A_BLOCK):
        finite = np.isfinite(values[start : start + _ROWS_A_BLOCK]).all(axis=1)
        if not finite.all():
            row = start + int(np.argmin(finite))
            raise DataError(
                f"{where} should hold finite numbers. Received: NaN or infinity in "
                f"the vector of '{ids[row]}'."
            )
    flat = pa.Array.from_buffers(
        pa.float32(), rows * length, [None, pa.py_buffer(values)]
    )
    validity = None
    if not present.all():
        validity = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(
        pa.list_(pa.float32(), length), rows, [validity], children=[flat]
    )


def as_lists(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Fixed-size lists as plain lists, null rows included."""
    return pa.chunked_array([_as_list(chunk) for chunk in column.chunks])


def _as_list(vectors: pa.FixedSizeListArray) -> pa.ListArray:
    present = pc.is_valid(vectors).to_numpy(zero_copy_only=False)
    ends = np.cumsum(present, dtype=np.int32) * vectors.type.list_size
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    missing = np.append(~present, False)
    # Arrow's flatten keeps the values of a null row when every row is null.
    values = vectors.flatten() if present.any() else pa.array([], pa.float32())
    return pa.ListArray.from_arrays(pa.array(offsets, mask=missing), values)


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
            f"{row + 1}, {_count_false(known)} such rows."
        )
    return one.cast(pa.int8())


def timestamp(where: str, column: pa.ChunkedArray) -> pa.Array:
    """Whole numbers as int64 (a Parquet timestamp in its own unit); null stays null.

    Raises:
      DataError: any other value; names the first row.
    """
    array = _combined(column)
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.int64())
    strings = categorical(where, column)
    whole = pc.match_substring_regex(strings, r"^-?[0-9]{1,18}$")
    whole = pc.fill_null(whole, True)
    if not pc.all(whole).as_py():
        row = pc.index(whole, False).as_py()
        raise DataError(
            f"{where} should be whole numbers. Received: {strings[row].as_py()!r} in "
            f"row {row + 1}, {_count_false(whole)} such rows."
        )
    return strings.cast(pa.int64())


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


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
    )


def _combined(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    combined = column.combine_chunks()
    if isinstance(combined, pa.ChunkedArray):
        raise DataError(
            f"A column of {column.nbytes} bytes is too large for one array."
        )
    return combined


def _count_false(array: pa.Array) -> int:
    return len(array) - int(pc.sum(array).as_py() or 0)
