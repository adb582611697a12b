"""The figures of a check: told as JSON, and kept where a file is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from uvcan_tf.terminal.arguments import Seconds, file_to_write


def seconds(default: float, shown: str) -> Callable[..., Any]:
    """The option `--seconds`."""
    return click.option(
        "--seconds", type=Seconds(), default=default, show_default=True, help=shown
    )


def out(shown: str = "Figures as JSON.") -> Callable[..., Any]:
    """The option `--out`, of a file that can be written."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        callback=file_to_write,
        help=shown,
    )


def tell(figures: Mapping[str, Any], file: Path | None) -> None:
    """Prints the figures, and writes them if there is a file for them."""
    text = json.dumps(figures, indent=1)
    click.echo(text)
    if file:
        file.write_text(text + "\n")
