"""What has to be known of all files of a table before one of them is read.

A file is surveyed alone, whatever machine has it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from uvcan_tf import features as names
from uvcan_tf.data import deciding, files
from uvcan_tf.data.canonical import of_side
from uvcan_tf.data.days import label
from uvcan_tf.data.times import timestamp
from uvcan_tf.errors import DataError
from uvcan_tf.features import Categorical, Features

__all__ = [
    "Decider",
    "Survey",
    "decided",
    "deciders_of",
    "survey",
    "unreadable",
]

Decider = Callable[[pa.ChunkedArray], pa.Array]


@dataclasses.dataclass(frozen=True)
class Survey:
    """What one file tells.

    Attributes:
      columns: their names.
      groups: rows and bytes of each row group; those of a CSV, of the whole file.
      deciding: by column the cells that decide how it is read.
      note: why the timestamps cannot be read; empty if they can.
    """

    columns: tuple[str, ...]
    groups: tuple[tuple[int, int], ...]
    deciding: Mapping[str, pa.Array]
    note: str = ""


def survey(path: Path, table: str, features: Features) -> Survey:
    """Surveys a file of a table.

    Raises:
      DataError: the file cannot be read.
    """
    there = files.columns_of(path)
    deciders = deciders_of(table, features)
    deciders = {n: of for n, of in deciders.items() if there.count(n) == 1}
    groups = files.groups_of(path)
    cells: dict[str, list[pa.Array]] = {name: [] for name in deciders}
    rows, note = 0, ""
    for number in range(len(groups)):
        raw = files.read_groups(path, list(deciders), (number, number + 1))
        rows += raw.num_rows
        for name, of in deciders.items():
            cells[name].append(decided(of, raw[name]))
        if names.TIMESTAMP in deciders and not note:
            where = f"{label(path)}, column '{names.TIMESTAMP}'"
            note = unreadable(where, raw[names.TIMESTAMP])
    if files.is_csv(path):
        groups = [(rows, 0)]
    return Survey(
        columns=tuple(there),
        groups=tuple(groups),
        deciding={n: pa.chunked_array(found) for n, found in cells.items() if found},
        note=note,
    )


def deciders_of(table: str, features: Features) -> dict[str, Decider]:
    """For each column whose cells are read together, what chooses the deciding ones."""
    if table == names.INTERACTIONS:
        own = (names.USER_ID, names.VIDEO_ID, names.LABEL)
        found: dict[str, Decider] = dict.fromkeys(own, deciding.of_names)
        return {**found, names.TIMESTAMP: deciding.of_times}
    id_name, features_of_table = of_side(table, features)
    lists = {True: deciding.of_lists, False: deciding.of_names}
    return {
        id_name: deciding.of_names,
        **{
            feature.column: lists[feature.multivalued]
            for feature in features_of_table
            if isinstance(feature, Categorical)
        },
    }


def decided(of: Decider, column: pa.ChunkedArray) -> pa.Array:
    """The deciding cells of a column; none where it cannot be read anyway."""
    try:
        return of(column)
    except pa.ArrowException:  # whoever reads the column says what is wrong
        return column.slice(0, 0).combine_chunks()


def unreadable(where: str, column: pa.ChunkedArray | pa.Array) -> str:
    """Why the timestamps cannot be read; empty if they can."""
    try:
        timestamp(where, column)
    except DataError as error:
        return str(error)
    return ""
