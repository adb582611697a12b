"""The three tables of a deployment: read, checked, in one canonical form."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from uvcan_tf import features as names
from uvcan_tf.data import canonical
from uvcan_tf.data.files import columns_of, find_table, read_columns, read_vectors
from uvcan_tf.data.folder import whole_folder
from uvcan_tf.data.interactions import read_interactions
from uvcan_tf.data.problems import Problems, of_ids, of_interactions
from uvcan_tf.data.vectors import as_lists
from uvcan_tf.errors import DataError
from uvcan_tf.features import Dense, Features

__all__ = ["Tables", "check", "problems", "read_tables", "read_users", "write_tables"]

_ROWS_A_GROUP = 65_536
_VECTORS_A_GROUP = 4_096


@dataclasses.dataclass(frozen=True)
class Tables:
    """The canonical tables; only declared columns, ids first.

    A column is named as its feature is. Ids are strings, never null or repeated. A
    single categorical column is of strings, a multivalued one of lists of strings, a
    numeric one of float32, a dense one of fixed-size lists of float32 [length]; null is
    missing. An interaction has a `label` (int8, 0 or 1) and, where the deployment has
    one, a `timestamp` (int64, milliseconds since 1970 in UTC).

    `notes` says, a sentence each, what of the files was left out.
    """

    users: pa.Table
    videos: pa.Table
    interactions: pa.Table
    notes: tuple[str, ...] = dataclasses.field(default=(), compare=False)


def read_tables(
    folder: Path, features: Features, checked: bool = True, days: str = ""
) -> Tables:
    """Reads and checks `users`, `videos` and `interactions`, each CSV or Parquet.

    A table is one file or a folder of part files; a CSV may be compressed by gzip.
    Lists are Parquet lists, or `|` inside a CSV cell. A dense vector is a Parquet list
    column, or `<feature>.npy` (float32 [rows, length], in the table's order) beside the
    table. A missing `label` means 1 everywhere.

    Args:
      folder: of the tables.
      features: their declaration.
      checked: whether ids, references and pairs are checked; see `check`.
      days: which days of the interactions, if they have some; see `days.Range`.

    Raises:
      DataError: one sentence on the first thing that makes the tables unusable.
    """
    folder = Path(folder)
    interactions, notes = read_interactions(folder, days)
    tables = Tables(
        users=read_users(folder, features),
        videos=_side(folder, names.VIDEOS, features),
        interactions=interactions,
        notes=notes,
    )
    if checked:
        check(tables)
    return tables


def read_users(folder: Path, features: Features) -> pa.Table:
    """Reads `users` alone, as `read_tables` does; an id may stand in several rows."""
    return _side(Path(folder), names.USERS, features)


def write_tables(folder: Path, tables: Tables, features: Features) -> None:
    """Writes the tables as Parquet with their `features.json`, whole or not at all.

    Raises:
      DataError: the folder cannot be written; see `whole_folder`.
    """
    with whole_folder(folder) as partial:
        for name in (names.USERS, names.VIDEOS, names.INTERACTIONS):
            table = getattr(tables, name)
            own = table.rename_columns(features.columns_of(table.column_names))
            _write(partial / f"{name}.parquet", own)
        text = json.dumps(features.to_json(), indent=2)
        (partial / names.FEATURES_FILE).write_text(text + "\n", encoding="utf-8")


def check(tables: Tables) -> None:
    """Checks ids, references and pairs of canonical tables.

    Raises:
      DataError: the first of the `problems`.
    """
    for problem in problems(tables):
        raise DataError(problem)


def problems(tables: Tables) -> Iterator[str]:
    """A sentence on each kind of rows that makes canonical tables unusable.

    Repeated ids of either table, ids of interactions that they lack, repeated pairs.
    """
    pairs, users, videos = tables.interactions, tables.users, tables.videos
    repeated = Problems(
        users=of_ids(users[names.USER_ID]), videos=of_ids(videos[names.VIDEO_ID])
    )
    yield from (repeated + of_interactions(pairs, users, videos)).sentences()


def _side(folder: Path, table: str, features: Features) -> pa.Table:
    path = find_table(folder, table)
    side = canonical.of_side(table, features)
    id_name, own = side
    beside = canonical.beside(folder, own, columns_of(path))
    wanted = [f.column for f in own if f.name not in beside]
    raw = read_columns(path, [id_name, *wanted], [])

    def read(feature: Dense) -> tuple[str, npt.NDArray[Any]]:
        file = beside[feature.name]
        return file.name, read_vectors(file, raw.num_rows, feature.length)

    return canonical.side(path.name, raw, side, beside, read)


def _write(path: Path, table: pa.Table) -> None:
    """Vectors are written as plain lists, which every reader of Parquet understands."""
    arrays = {name: table[name] for name in table.column_names}
    if names.TIMESTAMP in arrays:
        moments = arrays[names.TIMESTAMP].cast(pa.timestamp("ms", tz="UTC"))
        arrays[names.TIMESTAMP] = moments
    rows = _ROWS_A_GROUP
    for name, column in arrays.items():
        if pa.types.is_fixed_size_list(column.type):
            arrays[name], rows = as_lists(column), _VECTORS_A_GROUP
    words = [n for n, column in arrays.items() if not pa.types.is_list(column.type)]
    pq.write_table(pa.table(arrays), path, row_group_size=rows, use_dictionary=words)
