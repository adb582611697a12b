"""A CSV file as columns of strings, in UTF-8, compressed by gzip or not."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final, cast

import pyarrow as pa
import pyarrow.csv

from uvcan_tf.data.days import label
from uvcan_tf.errors import DataError

__all__ = ["columns_of", "read"]

_GZIP: Final = b"\x1f\x8b"
_HEAD: Final = 65_536
_SEPARATORS: Final = (",", ";", "\t", "|")
_BLOCK: Final = 16 << 20  # bytes; no row may be longer

#: First bytes of what other programs write, and what to do with it.
_OTHERS: Final = {
    b"PK\x03\x04": "an Excel workbook or another zip archive; export the table as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook; export the table as CSV",
    b"PAR1": "a Parquet file; call it .parquet",
    codecs.BOM_UTF16_LE: "text in UTF-16; save it as UTF-8",
    codecs.BOM_UTF16_BE: "text in UTF-16; save it as UTF-8",
}


def columns_of(path: Path) -> list[str]:
    """The names in the first line.

    Raises:
      DataError: the file cannot be read, or is not text.
    """
    return _header(path)[0]


def read(path: Path, names: Sequence[str]) -> pa.Table:
    """Reads the named columns as strings; an empty cell is null.

    Raises:
      DataError: the file is not a CSV in UTF-8; names the line.
    """
    _, separator = _header(path)
    try:
        return _columns(path, names, separator, threads=True)
    except (pa.ArrowException, OSError):
        pass  # Only a single thread knows the line's number.
    try:
        return _columns(path, names, separator, threads=False)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None


def _columns(
    path: Path, names: Sequence[str], separator: str, threads: bool
) -> pa.Table:
    with pa.input_stream(
        str(path), compression="gzip" if _is_gzip(path) else None
    ) as stream:
        return pyarrow.csv.read_csv(
            stream,
            read_options=pyarrow.csv.ReadOptions(
                use_threads=threads, block_size=_BLOCK
            ),
            parse_options=pyarrow.csv.ParseOptions(
                newlines_in_values=True, delimiter=separator
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(names),
                column_types={name: pa.string() for name in names},
                null_values=[""],
                strings_can_be_null=True,
            ),
        )


def _header(path: Path) -> tuple[list[str], str]:
    """The column names, and the separator that gives more than one of them."""
    try:
        with _opened(path) as file:
            head = file.read(_HEAD)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None
    for mark, what in _OTHERS.items():
        if head.startswith(mark):
            raise DataError(
                f"{label(path)} should be a CSV in UTF-8. Received: {what}."
            )
    if b"\0" in head:
        raise DataError(
            f"{label(path)} should be a CSV in UTF-8; save it as UTF-8. Received: text "
            "with zero bytes, as UTF-16 has them, or no text."
        )
    text = head.decode("utf-8-sig", "replace")
    rows = [_first_row(path, text, separator) for separator in _SEPARATORS]
    several = [i for i, names in enumerate(rows) if len(names) > 1]
    chosen = several[0] if several else 0
    return rows[chosen], _SEPARATORS[chosen]


def _first_row(path: Path, text: str, separator: str) -> list[str]:
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return next((row for row in rows if row), [])
    except csv.Error as error:
        raise _unreadable(path, error) from None


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], (gzip.open if _is_gzip(path) else open)(path, "rb"))


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = (str(error) or type(error).__name__).replace("Row #", "line ")
    first = reason.splitlines()[0].rstrip(".")
    return DataError(f"{label(path)} is not a readable CSV file: {first}.")
