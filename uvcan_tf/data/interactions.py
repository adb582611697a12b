"""The table of interactions in its canonical form."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from uvcan_tf import features as names
from uvcan_tf.data import canonical
from uvcan_tf.data.files import find_table, has_days, read_columns
from uvcan_tf.data.pairs import once

__all__ = ["read_interactions"]


def read_interactions(folder: Path, days: str) -> tuple[pa.Table, tuple[str, ...]]:
    """Reads `interactions` in its canonical form; see `Tables`.

    A pair of several days is one row, a like where one of them is, at the latest time;
    it stands where the pair came first.

    Returns:
      The table, and a note on a column that nothing needs and that cannot be read.
    """
    path = find_table(folder, names.INTERACTIONS)
    ids, optional = [names.USER_ID, names.VIDEO_ID], [names.LABEL, names.TIMESTAMP]
    raw = read_columns(path, ids, optional, days)
    pairs, notes = canonical.interactions(path.name, raw)
    return once(pairs)[0] if has_days(path) else pairs, notes
