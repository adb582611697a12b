"""Numeric features: a number a row, and what all numbers of a column tell.

Shapes: P numbers that are there, S numbers of a scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.data.text import combined, numbers
from uvcan_tf.errors import DataError
from uvcan_tf.features import Numeric

__all__ = ["number", "scale_of"]


def number(where: str, column: pa.ChunkedArray) -> pa.Array:
    """A column of numbers or of their text as float32; NaN and no value are null.

    Raises:
      DataError: a value is no number or infinite; names the first row.
    """
    array = combined(column)
    kind = array.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        values = np.asarray(array.to_numpy(zero_copy_only=False), np.float64)
    else:
        values = numbers(where, array).to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    infinite = np.isinf(values)
    if infinite.any():
        raise DataError(
            f"{where} should hold finite numbers of 32 bits. Received: "
            f"{array[int(np.argmax(infinite))].as_py()!r} in row "
            f"{int(np.argmax(infinite)) + 1}, {infinite.sum()} such rows."
        )
    return pa.array(values, pa.float32(), mask=np.isnan(values))


def scale_of(feature: Numeric, column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    """What `encoding.encode` needs to know of a column, float32 [S].

    Of buckets the bounds between them, ascending; of a standardized number mean and
    standard deviation. TensorFlow Transform's analyzers give the same in the pipeline,
    but for the bounds of very many rows, which they approximate.
    """
    values: npt.NDArray[Any] = pc.drop_null(column).to_numpy().astype(np.float64)  # [P]
    if not len(values):
        return np.zeros((feature.count or 3) - 1, np.float32)
    if feature.count is None:
        return np.array([values.mean(), values.std()], np.float32)
    places = len(values) * np.arange(1, feature.count) // feature.count
    return np.sort(values)[places].astype(np.float32)
