"""A command group that imports a command only when it is asked for."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import click


@dataclasses.dataclass(frozen=True)
class Lazy:
    """A command that is not imported yet.

    Args:
      home: `module:attribute`, or `module:group/command` for a command of a group.
      help: one line for the list of commands.
      extra: what `pip install 'uvcan-tf[extra]'` must have brought.
    """

    home: str
    help: str
    extra: str

    def load(self, context: click.Context) -> click.Command:
        """Imports the command."""
        module, _, path = self.home.partition(":")
        attribute, _, name = path.partition("/")
        command = getattr(importlib.import_module(module), attribute)
        return command.get_command(context, name) if name else command


class LazyGroup(click.Group):
    """Commands of its own, and commands that are imported when they are asked for.

    The list of commands imports none of them, so it takes no time and works whatever
    is installed. A command whose packages are missing ends in one sentence.
    """

    def __init__(
        self, *args: Any, lazy: Mapping[str, Lazy] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})

    def list_commands(self, context: click.Context) -> list[str]:
        return [*self.lazy, *super().list_commands(context)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.lazy:
            return super().get_command(context, name)
        with self._said_in_a_sentence(context, name):
            return self.lazy[name].load(context)

    def format_commands(
        self, context: click.Context, formatter: click.HelpFormatter
    ) -> None:
        own = {name: c.get_short_help_str(80) for name, c in self.commands.items()}
        lines = {name: entry.help for name, entry in self.lazy.items()} | own
        with formatter.section("Commands"):
            formatter.write_dl(list(lines.items()))

    def invoke(self, context: click.Context) -> Any:
        with self._said_in_a_sentence(context, None):
            return super().invoke(context)

    @contextlib.contextmanager
    def _said_in_a_sentence(
        self, context: click.Context, name: str | None
    ) -> Iterator[None]:
        """Names the extra that a command lacks; other failures pass."""
        try:
            yield
        except ModuleNotFoundError as error:
            name = name or context.invoked_subcommand or ""
            if name not in self.lazy or _is_ours(error.name or ""):
                raise
            raise click.ClickException(
                f"`{context.command_path} {name}` needs the package `{error.name}`, "
                "which is not installed: run "
                f"`pip install 'uvcan-tf[{self.lazy[name].extra}]'`."
            ) from error


def _is_ours(module: str) -> bool:
    return module.split(".")[0] in ("uvcan_tf", "serving", "tfx_pipeline")
