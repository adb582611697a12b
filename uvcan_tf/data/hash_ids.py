"""The three tables with keyed hashes in the place of user ids."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pyarrow as pa

from uvcan_tf import features as names
from uvcan_tf.data.tables import Tables, read_tables, write_tables
from uvcan_tf.hashed_ids import hashed

__all__ = ["convert", "with_hashed_ids"]


def convert(folder: Path, out: Path, key: bytes) -> Tables:
    """Writes the tables of a folder anew; rows keep their order.

    Video ids stay: they name what everybody may see. So does what has made their
    vectors (`visual.pca.file_of`), without which a model cannot take new videos.

    Raises:
      DataError: one sentence on what cannot be used.
    """
    features = names.of_folder(folder)
    tables = with_hashed_ids(read_tables(folder, features), key)
    write_tables(out, tables, features)
    for path in folder.glob("*_pca.npz"):
        if path.parent.resolve() != out.resolve():
            shutil.copyfile(path, out / path.name)
    return tables


def with_hashed_ids(tables: Tables, key: bytes) -> Tables:
    """The same tables with other user ids."""
    return dataclasses.replace(
        tables,
        users=_hashed(tables.users, key),
        interactions=_hashed(tables.interactions, key),
    )


def _hashed(table: pa.Table, key: bytes) -> pa.Table:
    """The table with its column of users hashed, each distinct id once."""
    place = table.column_names.index(names.USER_ID)
    ids = table[names.USER_ID].combine_chunks().dictionary_encode()
    values = pa.array([hashed(i, key) for i in ids.dictionary.to_pylist()], pa.string())
    column = values.take(ids.indices)
    return table.set_column(place, names.USER_ID, column)
