"""One table as it lies on disk: CSV or Parquet, whole or in parts, picked by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uvcan_tf.data import csv_files, parquet_files
from uvcan_tf.data.days import SUFFIXES, is_day, label, part_files
from uvcan_tf.errors import DataError

__all__ = [
    "columns_of",
    "files_of_table",
    "find_table",
    "groups_of",
    "has_days",
    "is_csv",
    "read_columns",
    "read_groups",
    "read_vectors",
    "require_columns",
]

_FIRST: Final = 6


def find_table(folder: Path, name: str) -> Path:
    """The file of a table, or the folder of its part files.

    Raises:
      DataError: the folder is missing, or holds no such table or several.
    """
    if not folder.is_dir():
        raise DataError(f"The folder {folder} does not exist.")
    paths = [*(folder / f"{name}{suffix}" for suffix in SUFFIXES), folder / name]
    found = [path for path in paths if path.is_file() or parts_of(path)]
    if not found:
        tried = ", ".join(path.name for path in paths[:-1])
        raise DataError(
            f"The table '{name}' is missing: {folder} should have one of {tried}, or a "
            f"folder of part files with one of these names or '{name}', or of folders "
            "for each day, such as span-1 or dt=2022-04-09. Received: "
            f"{_content(folder)}."
        )
    if len(found) > 1:
        both = " and ".join(path.name for path in found)
        raise DataError(f"{folder} has both {both}; remove the one not meant.")
    return found[0]


def parts_of(path: Path, days: str = "") -> list[Path]:
    """The table files in a folder and in its folders of days; see `part_files`."""
    inside = (file for file in (*path.glob("*"), *path.glob("*/*")) if file.is_file())
    names = [file.relative_to(path).as_posix() for file in inside]
    return [path / name for name in part_files(path.name, names, days)]


def files_of_table(path: Path, days: str = "") -> list[Path]:
    """The file of a table, or its part files; see `part_files`."""
    return [path] if path.is_file() and not days else parts_of(path, days)


def has_days(path: Path) -> bool:
    """Whether a table has a folder for each day."""
    return any(is_day(part.parent.name) for part in parts_of(path))


def read_columns(
    path: Path, required: Sequence[str], optional: Sequence[str], days: str = ""
) -> pa.Table:
    """Reads the named columns of a file or of a folder's parts.

    Args:
      path: of the file or the folder.
      required: columns that every part should have.
      optional: columns that every part should have, or none.
      days: which days of a folder; see `days.Range`.

    Returns:
      A table of the required columns and of the optional ones that exist. A CSV's
      columns are all strings, an empty cell is null; a Parquet file keeps its types.

    Raises:
      DataError: the file cannot be read, lacks a required column, or has no rows; or
        a day is missing.
    """
    parts = files_of_table(path, days)
    there = {part: columns_of(part) for part in parts}
    received = {name for columns in there.values() for name in columns}
    names = [name for name in (*required, *optional) if name in received]
    tables = {}
    for part, columns in there.items():
        require_columns(label(part), columns, required, names)
        tables[label(part)] = (csv_files if is_csv(part) else parquet_files).read(
            part, names
        )
    joined = (
        parquet_files.joined(path, tables) if len(tables) > 1 else [*tables.values()][0]
    )
    if joined.num_rows == 0:
        raise DataError(f"{path.name} should have at least one row. Received: none.")
    return joined


def columns_of(path: Path) -> list[str]:
    """The column names of a file, or of the first of a folder's parts."""
    first = path if path.is_file() else parts_of(path)[0]
    return (csv_files if is_csv(first) else parquet_files).columns_of(first)


def groups_of(path: Path) -> list[tuple[int, int]]:
    """Rows and bytes of each row group of a file; a CSV is one, not counted yet.

    Raises:
      DataError: the file is not a readable Parquet file.
    """
    return [(0, 0)] if is_csv(path) else parquet_files.groups_of(path)


def is_csv(path: Path) -> bool:
    """Whether a file is not Parquet."""
    return path.suffix != SUFFIXES[0]


def read_groups(path: Path, names: Sequence[str], groups: tuple[int, int]) -> pa.Table:
    """Reads the named columns of some row groups; of a CSV, of the whole file.

    Args:
      path: of the file.
      names: of columns that it has.
      groups: the first one, and the one behind the last.

    Raises:
      DataError: the file cannot be read.
    """
    if is_csv(path):
        return csv_files.read(path, names)
    return parquet_files.read(path, names, range(*groups))


def require_columns(
    part: str, received: Sequence[str], required: Sequence[str], names: Sequence[str]
) -> None:
    """Checks that a file has the columns, none of those that are read twice.

    Args:
      part: the file's name in messages.
      received: the columns that it has.
      required: columns that it should have, told first.
      names: columns that are read.

    Raises:
      DataError: a column is missing, or is there twice.
    """
    missing = [name for name in (*required, *names) if name not in received]
    if missing:
        several = "s" * (len(set(missing)) > 1)
        raise DataError(
            f"{part} should have the column{several} "
            f"{', '.join(dict.fromkeys(missing))}. Received: "
            f"{', '.join(received) or 'no columns'}."
        )
    twice = [name for name in names if received.count(name) > 1]
    if twice:
        raise DataError(f"{part} has the column '{twice[0]}' more than once.")


def read_vectors(path: Path, rows: int, length: int) -> npt.NDArray[Any]:
    """Reads a `.npy` of vectors, float32 [rows, length] in row-major order.

    The file may be of any real type, byte order and memory order. One that is float32
    and row-major already stays on disk and is mapped into memory.

    Raises:
      DataError: the file is damaged, or its type or shape is another.
    """
    vectors = _load(path)
    if vectors.dtype.kind not in "iuf" or vectors.shape != (rows, length):
        raise DataError(
            f"{path.name} should be numbers of shape [{rows}, {length}], one vector a "
            f"row of its table. Received: {vectors.dtype} {list(vectors.shape)}."
        )
    with np.errstate(over="ignore"):  # infinity is reported with the row's id
        return np.ascontiguousarray(vectors, np.float32)


def _load(path: Path) -> npt.NDArray[Any]:
    """One array, left on disk."""
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        why = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"{path.name} is not a readable NumPy file: {why}.") from None
    if not isinstance(vectors, np.ndarray):
        vectors.close()
        raise DataError(
            f"{path.name} should be one array, written by np.save. Received: a .npz "
            f"archive of {', '.join(vectors.files)}; save one of them with np.save."
        )
    return vectors


def _content(folder: Path) -> str:
    """The names in a folder, at most six."""
    names = sorted(
        f"{path.name}/" if path.is_dir() else path.name for path in folder.iterdir()
    )
    more = f" and {len(names) - _FIRST} more" if len(names) > _FIRST else ""
    return ", ".join(names[:_FIRST]) + more if names else "an empty folder"
