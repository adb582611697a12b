"""One table as it lies on disk: CSV or Parquet, columns picked by name."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from uvcan_tf.errors import DataError

__all__ = ["find_table", "read_columns", "read_csv", "read_vectors"]

_CSV, _PARQUET = ".csv", ".parquet"

# A RuntimeError is how `pyarrow_hotfix` refuses a file that carries code.
_BROKEN = (pa.ArrowException, OSError, RuntimeError)


def find_table(folder: Path, name: str) -> Path:
    """The file of a table, CSV or Parquet.

    Raises:
      DataError: the folder is missing, or holds neither file or both.
    """
    if not folder.is_dir():
        raise DataError(f"The folder {folder} does not exist.")
    paths = [folder / f"{name}{suffix}" for suffix in (_PARQUET, _CSV)]
    found = [path for path in paths if path.is_file()]
    tried = " and ".join(path.name for path in paths)
    if not found:
        raise DataError(f"The table '{name}' is missing: {folder} has no {tried}.")
    if len(found) > 1:
        raise DataError(f"{folder} has both {tried}; remove the one not meant.")
    return found[0]


def read_columns(
    path: Path, required: Sequence[str], optional: Sequence[str]
) -> pa.Table:
    """Reads the named columns of a file; others are left on disk.

    Returns:
      A table of the required columns and of the optional ones that exist. A CSV's
      columns are all strings, an empty cell is null; a Parquet file keeps its types.

    Raises:
      DataError: the file cannot be read, lacks a required column, or has no rows.
    """
    received = _header(path)
    missing = [name for name in required if name not in received]
    if missing:
        raise DataError(
            f"{path.name} should have the column{'s' * (len(missing) > 1)} "
            f"{', '.join(missing)}. Received: {', '.join(received) or 'no columns'}."
        )
    names = [name for name in (*required, *optional) if name in received]
    twice = [name for name in names if received.count(name) > 1]
    if twice:
        raise DataError(f"{path.name} has the column '{twice[0]}' more than once.")
    table = _parquet(path, names) if path.suffix == _PARQUET else read_csv(path, names)
    if table.num_rows == 0:
        raise DataError(f"{path.name} should have at least one row. Received: none.")
    return table


def columns_of(path: Path) -> list[str]:
    """The column names of a file."""
    return _header(path)


def _header(path: Path) -> list[str]:
    if path.suffix == _PARQUET:
        try:
            return list(pq.read_schema(path).names)
        except _BROKEN as error:
            raise _unreadable(path, "Parquet", error) from None
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return next(csv.reader(file), [])


def _parquet(path: Path, names: Sequence[str]) -> pa.Table:
    try:
        return pq.read_table(path, columns=list(names), memory_map=True)
    except _BROKEN as error:
        raise _unreadable(path, "Parquet", error) from None


def read_csv(path: Path, names: Collection[str]) -> pa.Table:
    """Reads the named columns of a CSV as strings; an empty cell is null.

    Raises:
      DataError: the file is not a CSV in UTF-8; names the line.
    """
    try:
        return _csv(path, names, threads=True)
    except pa.ArrowInvalid:
        pass  # Only a single thread knows the line's number.
    try:
        return _csv(path, names, threads=False)
    except pa.ArrowInvalid as error:
        raise _unreadable(path, "CSV", error) from None


def _csv(path: Path, names: Collection[str], threads: bool) -> pa.Table:
    return pyarrow.csv.read_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(use_threads=threads),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=list(names),
            column_types={name: pa.string() for name in names},
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def read_vectors(path: Path, rows: int, length: int) -> npt.NDArray[Any]:
    """Reads a `.npy` of vectors, float32 [rows, length] in row-major order.

    The file may be of any real type, byte order and memory order. One that is float32
    and row-major already stays on disk and is mapped into memory.

    Raises:
      DataError: the file is damaged, or its type or shape is another.
    """
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise _unreadable(path, "NumPy", error) from None
    if not isinstance(vectors, np.ndarray):
        raise DataError(
            f"{path.name} should be one array, written by np.save. Received: a .npz "
            f"archive of {', '.join(vectors.files)}; save one of them with np.save."
        )
    if vectors.dtype.kind not in "iuf" or vectors.shape != (rows, length):
        raise DataError(
            f"{path.name} should be numbers of shape [{rows}, {length}], one vector a "
            f"row of its table. Received: {vectors.dtype} {list(vectors.shape)}."
        )
    with np.errstate(over="ignore"):  # infinity is reported with the row's id
        return np.ascontiguousarray(vectors, np.float32)


def _unreadable(path: Path, kind: str, error: Exception) -> DataError:
    reason = str(error).replace("Row #", "line ").splitlines()[0].rstrip(".")
    return DataError(f"{path.name} is not a readable {kind} file: {reason}.")
