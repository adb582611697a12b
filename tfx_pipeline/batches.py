"""Batches of a table's rows on their way from the worker that read them.

The rows go through files, and Beam hands on where they are: its local runners keep all
that they shuffle in the memory of one process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pandas.util import hash_array

from tfx_pipeline.example_files import read_table, write_tables
from uvcan_tf import features as names
from uvcan_tf.data.canonical import of_side
from uvcan_tf.features import Categorical, Features

#: A column of every batch; no feature has a name with blanks.
PLACE: Final = "place in the table"


class Batch(NamedTuple):
    """Rows of one piece of a table: where they lie."""

    table: str
    piece: int
    path: str
    start: int
    length: int


def spilled(
    tables: Sequence[pa.Table], table: str, piece: int, path: str
) -> list[Batch]:
    """Leaves rows of a piece in one file, as so many batches."""
    found = write_tables(tables, path)
    return [Batch(table, piece, path, start, length) for start, length in found]


def by_shard(rows: pa.Table, shards: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each shard, in the order they came in."""
    users = rows[names.USER_ID].combine_chunks().dictionary_encode()
    hashes = hash_array(np.asarray(users.dictionary, object))
    shard = (hashes % np.uint64(shards)).astype(np.int64)[np.asarray(users.indices)]
    rows = rows.take(pa.array(np.argsort(shard, kind="stable")))
    ends = np.cumsum(np.bincount(shard, minlength=shards))
    for number, end in enumerate(ends.tolist()):
        start = int(ends[number - 1]) if number else 0
        if end > start:
            yield number, rows.slice(start, end - start)


def light(table: str, features: Features) -> pa.Schema:
    """The columns of `users` or `videos` that are joined onto an interaction."""
    id_name, own = of_side(table, features)
    fields = {id_name: pa.string()}
    for feature in own:
        if isinstance(feature, Categorical):
            kind = pa.list_(pa.string()) if feature.multivalued else pa.string()
            fields[feature.name] = kind
    return pa.schema(fields)


def joined(batches: Iterable[Batch], table: str, features: Features) -> pa.Table:
    """The rows of a table in its order."""
    own = sorted(batch for batch in batches if batch.table == table)
    if own:
        return pa.concat_tables([read_table(*batch[2:]) for batch in own])
    schema = light(table, features).append(pa.field(PLACE, pa.int64()))
    return schema.empty_table()


def places(rows: pa.Table) -> npt.NDArray[np.int64]:
    """Where the rows stand in their table."""
    return np.asarray(rows[PLACE])
