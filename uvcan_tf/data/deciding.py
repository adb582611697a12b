"""Which cells of a part of a column decide how the whole column is read.

A column is read by what all of its cells are: identifiers written 12.0 become 12 where
every one is whole, and cells are lists where any has the separator. Each part names a
few cells that decide such questions. Read beside those of all parts, a part is read as
it would be within the whole column.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.data.lists import PRINTED, SEPARATOR, split
from uvcan_tf.data.text import BOOLEANS, FRACTION, combined, is_list
from uvcan_tf.data.times import NUMBER
from uvcan_tf.errors import DataError

__all__ = ["of_lists", "of_names", "of_times"]

_WHOLE: Final = r"^[+-]?[0-9]{1,19}$"
_Rows = npt.NDArray[np.int64]


def of_names(column: pa.ChunkedArray) -> pa.Array:
    """Cells that decide how `columns.categorical` reads names."""
    array = combined(column)
    return array.take(pa.array(sorted(set(_of_names(array))), pa.int64()))


def of_lists(column: pa.ChunkedArray) -> pa.Array:
    """Cells that decide how `columns.multivalued` reads lists."""
    array = combined(column)
    rows: set[int] = set()
    lists, parents = array, np.arange(len(array))
    if not is_list(array.type):
        strings, parents = _strings(array)
        for mask in (
            pc.match_substring(strings, SEPARATOR),
            pc.invert(pc.match_substring_regex(strings, PRINTED)),
        ):
            rows.update(parents[_first(mask)].tolist())
        rows.update(parents[list(_of_names(strings))].tolist())
        try:
            lists = split("", strings)
        except DataError:  # other parts tell
            lists = pc.split_pattern(strings, SEPARATOR)
    of_value = np.asarray(pc.list_parent_indices(lists), np.int64)
    values = list(_of_names(pc.list_flatten(lists)))
    rows.update(parents[of_value[values]].tolist())
    return array.take(pa.array(sorted(rows), pa.int64()))


def of_times(column: pa.ChunkedArray) -> pa.Array:
    """Cells that decide how `times.timestamp` reads moments, the first one first."""
    array = combined(column)
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        return array[:0]
    strings, parents = _strings(array.cast(pa.string()))
    number = pc.match_substring_regex(strings, NUMBER)
    rows = {*parents[:1].tolist()}
    for mask in (
        number,
        pc.invert(number),
        pc.invert(pc.match_substring_regex(strings, _WHOLE)),
    ):
        rows.update(parents[_first(mask)].tolist())
    if pc.any(number).as_py():
        there = np.flatnonzero(np.asarray(number))
        values = np.asarray(strings.take(pa.array(there)).cast(pa.float64()))
        rows.add(int(parents[there[np.argmax(np.abs(values))]]))
    return array.take(pa.array(sorted(rows), pa.int64()))


def _of_names(array: pa.Array) -> Iterator[int]:
    """Rows of names that are no fraction, no whole number, no boolean."""
    kind = array.type
    if pa.types.is_floating(kind):
        values = np.asarray(array.to_numpy(zero_copy_only=False), np.float64)
        yield from _first(~np.isnan(values) & (values != np.floor(values)))
    elif pa.types.is_decimal(kind):
        values = array.to_pylist()
        yield from _first(np.array([v is not None and v != int(v) for v in values]))
    elif pa.types.is_temporal(kind):
        times = pc.replace_substring_regex(array.cast(pa.string()), r"\.0+$", "")
        yield from _first(pc.invert(pc.ends_with(times, " 00:00:00")))
    elif not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        strings, parents = _strings(array)
        yield from parents[list(_of_text(strings))].tolist()


def _of_text(strings: pa.Array) -> Iterator[int]:
    """Rows that are neither null nor empty; the first often answers all questions."""
    fraction = FRACTION.pattern
    if len(strings) and not FRACTION.match(first := strings[0].as_py()):
        if first not in (*BOOLEANS[0], *BOOLEANS[1]):
            yield 0
            return
    for spelled in BOOLEANS:
        yield from _first(pc.invert(pc.is_in(strings, value_set=pa.array(spelled))))
    fits = pc.match_substring_regex(strings, fraction)
    yield from _first(pc.invert(fits))
    there = np.flatnonzero(np.asarray(fits))
    values = np.asarray(strings.take(pa.array(there)).cast(pa.float64()))
    yield from there[_first(values != np.floor(values))].tolist()


def _strings(array: pa.Array) -> tuple[pa.Array, _Rows]:
    """The cells that are neither null nor empty, as strings, and their rows."""
    strings = array if pa.types.is_string(array.type) else array.cast(pa.string())
    there = np.flatnonzero(np.asarray(pc.fill_null(pc.not_equal(strings, ""), False)))
    return strings.take(pa.array(there)), there


def _first(mask: Any) -> list[int]:
    """The row of the first true value, if there is one."""
    there = np.asarray(
        pc.fill_null(mask, False) if isinstance(mask, pa.Array) else mask
    )
    return [int(np.argmax(there))] if there.any() else []
