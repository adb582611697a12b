"""Folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from uvcan_tf.errors import DataError

__all__ = ["whole_folder"]


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yields a folder to write into, which becomes `folder` when the block succeeds.

    A new folder appears in one step. In one that exists, files of the same names are
    replaced when all are written, and others stay. A failure leaves nothing behind.

    Raises:
      DataError: `folder` is a file or cannot be made, or holds a table of another
        format that a reader would take for this one.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} should be a folder. Received: a file.")
    partial = folder.absolute().parent / f".{folder.name}.{uuid.uuid4().hex[:8]}"
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}.") from None
    try:
        yield partial
        _move(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _move(partial: Path, folder: Path) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        os.replace(partial, folder)
        return
    written = sorted(partial.iterdir())
    for path in written:
        for other in {".csv", ".csv.gz", ".parquet"} - {path.suffix}:
            stale = folder / f"{path.stem}{other}"
            if path.suffix in {".csv", ".parquet"} and stale.exists():
                raise DataError(
                    f"{folder} has {stale.name}, which would contradict {path.name}; "
                    "remove it, or write to another folder."
                )
    for path in written:
        os.replace(path, folder / path.name)
