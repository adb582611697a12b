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


def fetched(address: str, scratch: str) -> Path:
    """The folder itself, or a copy of the address's files in `scratch`."""
    if is_local(address):
        return Path(address)
    copy = Path(scratch) / "fetched"
    copy.mkdir(parents=True)
    for name in fileio.listdir(address):
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
