"""Columns as they lie in a file to the canonical columns of a table.

`where` names the table or its part in messages. `others` are by column the cells of
other parts that decide how a part is read, where what is read is one; see `deciding`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uvcan_tf import features as names
from uvcan_tf.data import columns
from uvcan_tf.data.numbers import number
from uvcan_tf.data.times import timestamp
from uvcan_tf.data.vectors import dense, vectors_to_column
from uvcan_tf.errors import DataError
from uvcan_tf.features import Categorical, Dense, Feature, Features, Numeric

__all__ = ["Others", "ReadVectors", "beside", "interactions", "of_side", "side"]

Others = Mapping[str, pa.Array]
#: Reads a feature's file beside the table: its name, and float32 [rows, length].
ReadVectors = Callable[[Dense], tuple[str, npt.NDArray[Any]]]


def of_side(table: str, features: Features) -> tuple[str, tuple[Feature, ...]]:
    """The name of the ids of `users` or `videos`, and their features."""
    if table == names.USERS:
        return names.USER_ID, features.user
    return names.VIDEO_ID, features.video


def beside(
    folder: Path, features: tuple[Feature, ...], there: list[str]
) -> dict[str, Path]:
    """The files of vectors that a table with these columns lacks, by feature."""
    return {
        feature.name: file
        for feature in features
        if isinstance(feature, Dense) and feature.column not in there
        for name in dict.fromkeys((feature.column, feature.name))
        if (file := folder / f"{name}.npy").is_file()
    }


def side(
    where: str,
    raw: pa.Table,
    of: tuple[str, tuple[Feature, ...]],
    beside: Collection[str],
    read: ReadVectors,
    others: Others | None = None,
) -> pa.Table:
    """The columns of `users` or `videos`, ids first.

    Args:
      where: see above.
      raw: as it lies in the file.
      of: which table, as `of_side` gives it.
      beside: the features whose vectors lie in a file beside the table.
      read: reads these.
      others: see above.

    Raises:
      DataError: one sentence on a value that cannot be used.
    """
    others = others or {}
    id_name, features = of
    place = f"{where}, column '{id_name}'"
    ids = columns.ids(place, raw[id_name], id_name, others.get(id_name))
    converted = {id_name: ids}
    for feature in features:
        if isinstance(feature, Dense) and feature.name in beside:
            file, values = read(feature)
            there = np.any(values != 0, axis=1)
            converted[feature.name] = vectors_to_column(file, values, there, ids)
        else:
            converted[feature.name] = _column(
                f"{where}, column '{feature.column}'",
                raw[feature.column],
                feature,
                ids,
                others.get(feature.column),
            )
    return pa.table(converted)


def _column(
    where: str,
    column: pa.ChunkedArray,
    feature: Feature,
    ids: pa.Array,
    others: pa.Array | None,
) -> pa.Array:
    match feature:
        case Dense(length=length):
            return dense(where, column, length, ids)
        case Numeric():
            return number(where, column)
        case Categorical(multivalued=True):
            return columns.multivalued(where, column, others)
        case Categorical():
            return columns.categorical(where, column, others)


def interactions(
    where: str, raw: pa.Table, others: Others | None = None
) -> tuple[pa.Table, tuple[str, ...]]:
    """The columns of `interactions`, and a note on one that cannot be read."""
    others = others or {}
    place = {name: f"{where}, column '{name}'" for name in raw.column_names}
    converted = {
        name: columns.ids(place[name], raw[name], name, others.get(name))
        for name in (names.USER_ID, names.VIDEO_ID)
    }
    converted[names.LABEL] = pa.array(np.ones(raw.num_rows, np.int8))
    if (label := names.LABEL) in place:
        converted[label] = columns.label(place[label], raw[label], others.get(label))
    notes: list[str] = []
    if (time := names.TIMESTAMP) in place:
        try:
            converted[time] = timestamp(place[time], raw[time], others.get(time))
        except DataError as error:
            notes.append(f"{error} The column is left out.")
    return pa.table(converted), tuple(notes)
