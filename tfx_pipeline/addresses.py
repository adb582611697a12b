"""Folders that may lie elsewhere: the library works on local ones."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tfx.dsl.io import fileio

_FOLDERS: Final = 2  # of parts, and of days


def is_local(address: str) -> bool:
    """Whether an address is a folder of this machine."""
    return "://" not in address


def files_of(address: str) -> list[str]:
    """The files of a folder of tables, of its folders of parts, and of days in these.

    Returns:
      Their names from the folder on, in order.
    """
    return list(_files(address, _FOLDERS))


def _files(address: str, deep: int) -> Iterator[str]:
    """The files of a folder, and of so many folders in one another."""
    for name in sorted(entry.rstrip("/") for entry in fileio.listdir(address)):
        path = os.path.join(address, name)
        if not fileio.isdir(path):
            yield name
        elif deep:
            yield from (f"{name}/{file}" for file in _files(path, deep - 1))


def fetched(address: str, scratch: str) -> Path:
    """The folder itself, or a copy of the address's files in `scratch`."""
    if is_local(address):
        return Path(address)
    return _copied(address, files_of(address), Path(scratch) / "fetched")


def listed(address: str, scratch: str) -> Path:
    """The folder itself, or one with empty files of the same names and lengths."""
    if is_local(address):
        return Path(address)
    folder = Path(scratch) / "listed"
    for name in files_of(address):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
        os.truncate(folder / name, fileio.stat(os.path.join(address, name)).length)
    return folder


@contextlib.contextmanager
def local_files(address: str, wanted: Sequence[str]) -> Iterator[Path]:
    """The folder itself, or for a while one with copies of these of its files."""
    if is_local(address):
        yield Path(address)
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield _copied(address, wanted, Path(scratch))


def _copied(address: str, wanted: Sequence[str], folder: Path) -> Path:
    """The folder, once it has these files of the address."""
    for name in wanted:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        fileio.copy(os.path.join(address, name), str(folder / name))
    return folder


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
