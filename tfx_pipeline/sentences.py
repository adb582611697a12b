"""How a command ends at a mistake of its user's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click

from uvcan_tf.errors import UvcanError
from uvcan_tf.terminal import lost_files


@contextlib.contextmanager
def one_sentence() -> Iterator[None]:
    """A mistake of the user's ends the command with its sentence, status 1."""
    try:
        yield
    except UvcanError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(lost_files.sentence(error)) from None
