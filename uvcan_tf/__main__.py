"""`python -m uvcan_tf`: the data, train, evaluate and experiment commands."""

from __future__ import annotations

import sys

import click

from uvcan_tf.terminal import quiet


class _Lazy(click.Group):
    """Imports a command only when it is asked for."""

    _homes = {
        "data": "uvcan_tf.data.cli",
        "train": "uvcan_tf.cli",
        "evaluate": "uvcan_tf.cli",
        "experiment": "uvcan_tf.experiments.cli",
    }

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self._homes)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        import importlib

        if name not in self._homes:
            return None
        command: click.Command = getattr(
            importlib.import_module(self._homes[name]), name
        )
        return command


@click.group(cls=_Lazy)
def group() -> None:
    """UVCAN: make tables, train, evaluate and compare without a pipeline."""


def main() -> None:
    """Runs a command; a known mistake is one sentence and exit status 1."""
    quiet.quiet()
    try:
        group(standalone_mode=True)
    except (ValueError, RuntimeError) as error:
        if type(error).__module__.split(".")[0] != "uvcan_tf":
            raise
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
