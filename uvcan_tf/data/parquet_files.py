"""A Parquet file as columns of its own types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from uvcan_tf.data.days import label
from uvcan_tf.errors import DataError

__all__ = ["columns_of", "groups_of", "joined", "read", "with_types"]

# A RuntimeError is how `pyarrow_hotfix` refuses a file that carries code.
_BROKEN: Final = (pa.ArrowException, OSError, RuntimeError)

#: What old readers say of what newer writers write, and what to do.
_NEWER: Final = {
    "Thrift LogicalType": "it has a type, such as float16, that this reader does not "
    "know; write the column as float32"
}
_FIXED_SIZE: Final = "Expected all lists to be of size"
_OWN_SCHEMA: Final = b"ARROW:schema"


def columns_of(path: Path) -> list[str]:
    """The names of the columns.

    Raises:
      DataError: the file is not a readable Parquet file.
    """
    try:
        return list(pq.read_schema(path).names)
    except _BROKEN as error:
        raise _unreadable(path, error) from None


def groups_of(path: Path) -> list[tuple[int, int]]:
    """Rows and bytes of each row group, before compression.

    Raises:
      DataError: the file is not a readable Parquet file.
    """
    try:
        file = pq.read_metadata(path)
    except _BROKEN as error:
        raise _unreadable(path, error) from None
    groups = [file.row_group(number) for number in range(file.num_row_groups)]
    return [(group.num_rows, group.total_byte_size) for group in groups]


def read(
    path: Path, names: Sequence[str], groups: Sequence[int] | None = None
) -> pa.Table:
    """Reads the named columns, of some row groups or of all.

    Raises:
      DataError: the file is not a readable Parquet file.
    """
    try:
        return _columns(pq.ParquetFile(path, memory_map=True), names, groups)
    except _BROKEN as error:
        if _FIXED_SIZE not in str(error):
            raise _unreadable(path, error) from None
    try:
        file = pq.ParquetFile(_without_own_schema(path))
        return _columns(file, names, groups)
    except _BROKEN as error:
        raise _unreadable(path, error) from None


def joined(path: Path, parts: Mapping[str, pa.Table]) -> pa.Table:
    """The parts one after the other; a column without a value has the others' type.

    Args:
      path: of the folder.
      parts: by their names, all with the same columns.

    Raises:
      DataError: a column is of different types in different parts.
    """
    fields: dict[str, pa.DataType] = {}
    for table in parts.values():
        for field in table.schema:
            if pa.types.is_null(fields.get(field.name, pa.null())):
                fields[field.name] = field.type
    return pa.concat_tables(
        [
            with_types(path.name, part, table, pa.schema(fields))
            for part, table in parts.items()
        ]
    )


def with_types(name: str, part: str, table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A part of a table with the types of the others.

    Raises:
      DataError: a column is of another type.
    """
    columns = []
    for field in schema:
        try:
            columns.append(table[field.name].cast(field.type))
        except (pa.ArrowException, ValueError):
            raise DataError(
                f"{name} should have the same columns of the same types in all "
                f"its parts; write them anew. Received: column '{field.name}' is "
                f"{table[field.name].type} in {part}, and {field.type} before it."
            ) from None
    return pa.table(columns, schema)


def _columns(
    file: pq.ParquetFile, names: Sequence[str], groups: Sequence[int] | None
) -> pa.Table:
    wanted = list(names)
    if groups is None:
        return file.read(columns=wanted).select(wanted)
    return file.read_row_groups(list(groups), columns=wanted).select(wanted)


def _without_own_schema(path: Path) -> pa.BufferReader:
    """The file without the types that Arrow adds to Parquet's own.

    A fixed-size list with null rows, which Arrow reads only since version 13, is a
    plain list to Parquet. The file is copied into memory.
    """
    content = path.read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    footer = content[start:].replace(_OWN_SCHEMA, _OWN_SCHEMA.swapcase())
    return pa.BufferReader(content[:start] + footer)


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).splitlines()[0].rstrip(".")
    for sign, meaning in _NEWER.items():
        if sign in reason:
            reason = meaning
    return DataError(f"{label(path)} is not a readable Parquet file: {reason}.")
