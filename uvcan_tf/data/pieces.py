"""Tables read piece by piece, by the same readers as `tables` has for the whole.

The surveys of all files tell how each piece is to be read, so that its rows mean what
they would mean within the whole table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt
import pyarrow as pa

from uvcan_tf import features as names
from uvcan_tf.data import canonical, files, parquet_files
from uvcan_tf.data.canonical import of_side
from uvcan_tf.data.days import label
from uvcan_tf.data.surveys import (
    Decider,
    Survey,
    decided,
    deciders_of,
    unreadable,
)
from uvcan_tf.errors import DataError
from uvcan_tf.features import Dense, Features

__all__ = ["Layout", "Piece", "laid_out", "read_piece"]

_ROWS: Final = 1 << 18
_BYTES: Final = 64 << 20


@dataclasses.dataclass(frozen=True)
class Piece:
    """Rows that are read at once.

    Attributes:
      number: of the piece in its table.
      file: the file's name, from the folder of the tables on.
      groups: the first row group and the one behind the last.
      start: where the first row stands in the table.
      row: where it stands in the file.
    """

    number: int
    file: str
    groups: tuple[int, int]
    start: int
    row: int


@dataclasses.dataclass(frozen=True)
class Layout:
    """How to read the pieces of one table.

    Attributes:
      table: its name.
      columns: which columns are read.
      others: by column the cells of all files that decide how it is read.
      vectors: by feature the name of a file of vectors beside the table.
      pieces: all of them, in order.
      rows: of the table.
      days: whether a pair may stand in several days; see `interactions`.
    """

    table: str
    columns: tuple[str, ...]
    others: Mapping[str, pa.Array]
    vectors: Mapping[str, str]
    pieces: tuple[Piece, ...]
    rows: int
    days: bool = False


def laid_out(
    folder: Path,
    table: str,
    parts: Sequence[Path],
    surveys: Sequence[Survey],
    features: Features,
) -> Layout:
    """How to read the pieces of a table, given the surveys of all its files.

    Args:
      folder: of the tables; only the names of its files are asked for.
      table: the table's name.
      parts: the table's file, or its part files in order.
      surveys: of the same.
      features: the declaration.

    Raises:
      DataError: a file lacks a column, columns differ in type, or there is no row.
    """
    path = files.find_table(folder, table)
    vectors: dict[str, Path] = {}
    if table != names.INTERACTIONS:
        there = list(surveys[0].columns)
        vectors = canonical.beside(folder, of_side(table, features)[1], there)
    columns = _columns(table, parts, surveys, features, vectors)
    if not (rows := sum(rows for found in surveys for rows, _ in found.groups)):
        raise DataError(f"{path.name} should have at least one row. Received: none.")
    others = _others(path, parts, surveys, deciders_of(table, features))
    if (time := names.TIMESTAMP) in columns:
        if any(found.note for found in surveys) or unreadable(time, others[time]):
            columns.remove(time)
    return Layout(
        table=table,
        columns=tuple(dict.fromkeys(columns)),
        others={} if len(parts) == len(surveys[0].groups) == 1 else others,
        vectors={name: file.name for name, file in vectors.items()},
        pieces=tuple(_pieces(folder, parts, surveys)),
        rows=rows,
        days=table == names.INTERACTIONS and files.has_days(path),
    )


def read_piece(
    layout: Layout, piece: Piece, folder: Path, features: Features
) -> pa.Table:
    """The canonical rows of a piece; see `tables.Tables`.

    Args:
      layout: of its table.
      piece: one of the layout's.
      folder: with at least the piece's file, and the table's files of vectors.
      features: the declaration.

    Raises:
      DataError: one sentence on what cannot be used; it names the file.
    """
    path = folder / piece.file
    raw = files.read_groups(path, layout.columns, piece.groups)
    where = label(path)
    raw = _with_types(layout, where, raw)
    if piece.row:
        where = f"{where} from row {piece.row + 1} on"
    if layout.table == names.INTERACTIONS:
        rows, notes = canonical.interactions(where, raw, layout.others)
        if notes:
            raise DataError(notes[0])
        return rows

    def read(feature: Dense) -> tuple[str, npt.NDArray[Any]]:
        file = layout.vectors[feature.name]
        found = files.read_vectors(folder / file, layout.rows, feature.length)
        return file, found[piece.start : piece.start + raw.num_rows]

    side = of_side(layout.table, features)
    return canonical.side(where, raw, side, layout.vectors, read, layout.others)


def _with_types(layout: Layout, part: str, raw: pa.Table) -> pa.Table:
    """A part's columns with the types that they have in all files."""
    kinds = {name: cells.type for name, cells in layout.others.items()}
    types = [(n, kinds.get(n, raw[n].type)) for n in raw.column_names]
    return parquet_files.with_types(layout.table, part, raw, pa.schema(types))


def _columns(
    table: str,
    parts: Sequence[Path],
    surveys: Sequence[Survey],
    features: Features,
    vectors: Mapping[str, Path],
) -> list[str]:
    """The columns to read, which all files have."""
    required, optional = [names.USER_ID, names.VIDEO_ID], [names.LABEL, names.TIMESTAMP]
    if table != names.INTERACTIONS:
        id_name, own = of_side(table, features)
        wanted = [f.column for f in own if f.name not in vectors]
        required, optional = [id_name, *wanted], []
    received = {name for found in surveys for name in found.columns}
    columns = [name for name in (*required, *optional) if name in received]
    for part, found in zip(parts, surveys, strict=True):
        files.require_columns(label(part), list(found.columns), required, columns)
    return columns


def _others(
    path: Path,
    parts: Sequence[Path],
    surveys: Sequence[Survey],
    deciders: Mapping[str, Decider],
) -> dict[str, pa.Array]:
    """The cells of all files that decide how each column is read, of one type."""
    found: dict[str, pa.Array] = {}
    for name, of in deciders.items():
        tables = {
            label(part): pa.table({name: one.deciding[name]})
            for part, one in zip(parts, surveys, strict=True)
            if name in one.deciding
        }
        if tables:
            every = parquet_files.joined(path, tables)[name]
            found[name] = decided(of, every)
    return found


def _pieces(
    folder: Path, parts: Sequence[Path], surveys: Sequence[Survey]
) -> Iterator[Piece]:
    number = start = 0
    for part, found in zip(parts, surveys, strict=True):
        row = first = rows = size = 0
        for group, (more, heavier) in enumerate(found.groups):
            rows, size = rows + more, size + heavier
            full = rows >= _ROWS or size >= _BYTES
            if rows and (full or group + 1 == len(found.groups)):
                name = part.relative_to(folder).as_posix()
                yield Piece(number, name, (first, group + 1), start, row)
                number, start, row = number + 1, start + rows, row + rows
                first, rows, size = group + 1, 0, 0
