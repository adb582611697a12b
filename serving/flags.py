"""Flags that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from serving.client.records import Tls
from uvcan_tf.hashed_ids import ConfigError, read_key

_PEM_FILES: Final = {
    "tls_roots": "PEM certificates to trust.",
    "tls_key": "PEM private key, for mutual TLS.",
    "tls_certificate": "PEM certificate, for mutual TLS.",
}


def tls_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the flags of a secured channel; the function gets them as `tls`."""

    @functools.wraps(function)
    def run(tls: bool, **arguments: Any) -> Any:
        paths = [arguments.pop(name) for name in _PEM_FILES]
        pem = [path.read_bytes() if path else None for path in paths]
        return function(tls=Tls(*pem) if tls or any(pem) else None, **arguments)

    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for name, text in reversed(_PEM_FILES.items()):
        run = click.option(f"--{name.replace('_', '-')}", type=file, help=text)(run)
    text = "Talk TLS; implied by the next three."
    return click.option("--tls", is_flag=True, help=text)(run)


def key_file(
    context: click.Context, parameter: click.Parameter, path: Path | None
) -> bytes | None:
    """The key in a file that a flag names."""
    try:
        return None if path is None else read_key(path)
    except ConfigError as error:
        raise click.BadParameter(str(error)) from None
