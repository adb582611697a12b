"""Dense features as columns of fixed-size lists, float32 [rows, length]."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.data.text import combined, is_list
from uvcan_tf.errors import DataError

__all__ = ["as_lists", "dense", "vectors_to_column"]

_ROWS_A_BLOCK: Final = 4096


def dense(
    where: str, column: pa.ChunkedArray, length: int, ids: pa.Array
) -> pa.FixedSizeListArray:
    """Vectors, float32 [rows, length]; a null or empty list is a missing vector.

    Raises:
      DataError: a vector of another length, or with NaN or infinity; names its id.
    """
    array = combined(column)
    if not is_list(array.type):
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
