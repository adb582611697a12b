"""Columns of names in their canonical type, whatever the file they came from.

The same value means the same in every format: see `text`. `where` names the column in
messages; rows count from 1 after the header. Where a column is only a part of a longer
one, `others` are cells of the other parts that decide how all are read: see `deciding`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.data.lists import split
from uvcan_tf.data.text import beside, count_false, is_list, text
from uvcan_tf.errors import DataError

__all__ = ["categorical", "ids", "label", "multivalued"]

_ZERO: Final = r"^(0(\.0*)?|false)$"
_ONE: Final = r"^(1(\.0*)?|true)$"


def categorical(
    where: str, column: pa.ChunkedArray, others: pa.Array | None = None
) -> pa.Array:
    """Names as strings; null and the empty string become null.

    Raises:
      DataError: a name with a line break, which no file of names can hold.
    """
    strings = text(where, beside(column, others))[: len(column)]
    broken = pc.fill_null(pc.match_substring_regex(strings, "[\n\r]"), False)
    if pc.any(broken).as_py():
        row = pc.index(broken, True).as_py()
        raise DataError(
            f"{where} should have names on one line; replace the line breaks. "
            f"Received: {strings[row].as_py()!r} in row {row + 1}, "
            f"{pc.sum(broken).as_py()} such rows."
        )
    return pc.if_else(pc.equal(strings, ""), pa.scalar(None, pa.string()), strings)


def ids(
    where: str,
    column: pa.ChunkedArray,
    name: str | None = None,
    others: pa.Array | None = None,
) -> pa.Array:
    """Ids as strings.

    Args:
      where: the column's name in messages.
      column: of any scalar type.
      name: the column's name in the header.
      others: see above.

    Raises:
      DataError: an empty id, or the header again; names the row.
    """
    strings = categorical(where, column, others)
    if strings.null_count:
        row = pc.index(pc.is_null(strings), True).as_py()
        raise DataError(
            f"{where} should have an id in every row. Received: an empty one in row "
            f"{row + 1}, {strings.null_count} such rows."
        )
    row = -1 if name is None else pc.index(strings, name).as_py()
    if row >= 0:
        raise DataError(
            f"{where} should hold ids below one header; remove row {row + 1}. "
            f"Received: the header's '{name}' as an id."
        )
    return strings


def multivalued(
    where: str, column: pa.ChunkedArray, others: pa.Array | None = None
) -> pa.Array:
    """Lists of strings, from lists or from text that `lists.split` knows.

    An empty list and one of nothing but empty names become null.
    """
    array = beside(column, others)
    if not is_list(array.type):
        array = split(where, categorical(where, array))
    rows = len(array)
    parents = pc.list_parent_indices(array)
    values = categorical(where, pc.list_flatten(array))
    kept = pc.is_valid(values)
    values, parents = values.filter(kept), parents.filter(kept)
    counts = np.bincount(parents.to_numpy(zero_copy_only=False), minlength=rows)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    empty = np.append(counts == 0, False)
    lists = pa.ListArray.from_arrays(pa.array(offsets, mask=empty), values)
    return lists[: len(column)]


def label(
    where: str, column: pa.ChunkedArray, others: pa.Array | None = None
) -> pa.Array:
    """0 or 1 as int8, from numbers, booleans, or their text in any case.

    Raises:
      DataError: any other value, or none; names the first row.
    """
    strings = categorical(where, column, others)
    lower = pc.fill_null(pc.utf8_lower(strings), "")
    one = pc.match_substring_regex(lower, _ONE)
    known = pc.or_(one, pc.match_substring_regex(lower, _ZERO))
    if not pc.all(known).as_py():
        row = pc.index(known, False).as_py()
        raise DataError(
            f"{where} should be 0 or 1. Received: {strings[row].as_py()!r} in row "
            f"{row + 1}, {count_false(known)} such rows."
        )
    return one.cast(pa.int8())
