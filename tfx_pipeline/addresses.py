"""Folders that may lie elsewhere: the library works on local ones."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tfx.dsl.io import fileio


def is_local(address: str) -> bool:
    """Whether an address is a folder of this machine."""
    return "://" not in address


def files_of(address: str) -> list[str]:
    """The files of a folder of tables, and of the folders of part files in it.

    Returns:
      Their names from the folder on, in order.
    """
    found: list[str] = []
    for name in sorted(entry.rstrip("/") for entry in fileio.listdir(address)):
        path = os.path.join(address, name)
        if fileio.isdir(path):
            parts = sorted(fileio.listdir(path))
            found += [f"{name}/{part}" for part in parts if not part.endswith("/")]
        else:
            found.append(name)
    return [name for name in found if not fileio.isdir(os.path.join(address, name))]


def fetched(address: str, scratch: str) -> Path:
    """The folder itself, or a copy of the address's files in `scratch`."""
    if is_local(address):
        return Path(address)
    copy = Path(scratch) / "fetched"
    for name in files_of(address):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        fileio.copy(os.path.join(address, name), str(copy / name))
    return copy


@contextlib.contextmanager
def delivered(address: str) -> Iterator[Path]:
    """A local folder to write to, whose content ends up at the address."""
    if is_local(address):
        yield Path(address)
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch)
        for folder, _, files in os.walk(scratch):
            target = os.path.join(address, os.path.relpath(folder, scratch))
            fileio.makedirs(target)
            for name in files:
                fileio.copy(os.path.join(folder, name), os.path.join(target, name))
