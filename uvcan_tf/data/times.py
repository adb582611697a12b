"""Moments as int64, whatever type and text the file has."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.data.columns import categorical, combined, count_false
from uvcan_tf.errors import DataError

__all__ = ["timestamp"]


def timestamp(where: str, column: pa.ChunkedArray) -> pa.Array:
    """Whole numbers as int64 (a Parquet timestamp in its own unit); null stays null.

    Raises:
      DataError: any other value; names the first row.
    """
    array = combined(column)
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.int64())
    strings = categorical(where, column)
    whole = pc.match_substring_regex(strings, r"^-?[0-9]{1,18}$")
    whole = pc.fill_null(whole, True)
    if not pc.all(whole).as_py():
        row = pc.index(whole, False).as_py()
        raise DataError(
            f"{where} should be whole numbers. Received: {strings[row].as_py()!r} in "
            f"row {row + 1}, {count_false(whole)} such rows."
        )
    return strings.cast(pa.int64())
