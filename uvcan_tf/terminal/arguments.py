"""Values of a command line that are looked at before the work begins."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Final

import click

_DAY_S: Final = 86_400


class Seconds(click.FloatRange):
    """A time to work for: more than nothing, and at most a day."""

    def __init__(self) -> None:
        super().__init__(min=0.01, max=_DAY_S)

    def convert(self, value: Any, parameter: Any, context: Any) -> float:
        """The number, which `nan` is not."""
        seconds = float(super().convert(value, parameter, context))
        if math.isnan(seconds):
            self.fail(f"{value!r} should be a number of seconds.", parameter, context)
        return seconds


def make_folder(folder: Path) -> None:
    """Makes a folder for results, before they are there.

    Raises:
      click.ClickException: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(
            f"{folder} should be a folder that can be written. "
            f"Received: {error.strerror}."
        ) from None


def file_to_write(
    context: click.Context, parameter: click.Parameter, path: Path | None
) -> Path | None:
    """A callback of an option: whether a file can be made there, before it is."""
    if path is None:
        return None
    if path.is_dir():
        raise click.BadParameter(f"{path} should be a file. Received: a folder.")
    if not path.parent.is_dir():
        raise click.BadParameter(f"The folder {path.parent} should exist; make it.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.BadParameter(f"{path} should be a file that you may write.")
    return path
