"""The table of interactions in its canonical form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from uvcan_tf import features as names
from uvcan_tf.data import columns
from uvcan_tf.data.files import find_table, has_days, read_columns
from uvcan_tf.data.pairs import merged
from uvcan_tf.data.times import timestamp
from uvcan_tf.errors import DataError

__all__ = ["read_interactions"]


def read_interactions(folder: Path, days: str) -> tuple[pa.Table, tuple[str, ...]]:
    """Reads `interactions` in its canonical form; see `Tables`.

    A pair of several days is one row, a like where one of them is, at the latest time.

    Returns:
      The table, and a note on a column that nothing needs and that cannot be read.
    """
    path = find_table(folder, names.INTERACTIONS)
    ids, optional = [names.USER_ID, names.VIDEO_ID], [names.LABEL, names.TIMESTAMP]
    raw = read_columns(path, ids, optional, days)
    where = {name: f"{path.name}, column '{name}'" for name in raw.column_names}
    converted = {name: columns.ids(where[name], raw[name], name) for name in ids}
    converted[names.LABEL] = pa.array(np.ones(raw.num_rows, np.int8))
    if names.LABEL in where:
        converted[names.LABEL] = columns.label(where[names.LABEL], raw[names.LABEL])
    notes: list[str] = []
    if names.TIMESTAMP in where:
        try:
            column = timestamp(where[names.TIMESTAMP], raw[names.TIMESTAMP])
            converted[names.TIMESTAMP] = column
        except DataError as error:
            notes.append(f"{error} The column is left out.")
    pairs = pa.table(converted)
    return merged(pairs) if has_days(path) else pairs, tuple(notes)
