"""`python -m serving serve`: TF Serving's flags, in either spelling."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import click

from serving.server.options import Options

FAILED_TO_START: Final = 255  # TF Serving's exit status


def _option(field: dataclasses.Field[Any]) -> Callable[[Any], Any]:
    """A flag of the command line for a field of Options."""
    spellings = {f"--{field.name.replace('_', '-')}", f"--{field.name}"}
    kind = type(field.default)
    optional_value: dict[str, Any] = (
        {"is_flag": False, "flag_value": "true"} if kind is bool else {}
    )
    return click.option(
        *sorted(spellings),
        field.name,
        type=kind,
        default=field.default,
        show_default=True,
        help=field.metadata["help"],
        **optional_value,
    )


def _with_flags(function: Callable[..., None]) -> Callable[..., None]:
    for field in reversed(dataclasses.fields(Options)):
        function = _option(field)(function)
    return function


def _version(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked:
        import tensorflow as tf

        ours = metadata.version("tensorflow-serving-api")
        click.echo(f"TensorFlow ModelServer: {ours}, embedded")
        click.echo(f"TensorFlow Library: {tf.__version__}")
        context.exit()


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
@_with_flags
@click.option(
    "--version",
    is_flag=True,
    callback=_version,
    expose_value=False,
    is_eager=True,
    help="Print versions, and stop.",
)
@click.pass_context
def serve(context: click.Context, /, **flags: Any) -> None:
    """Serves SavedModels as TF Serving does, with its flags in either spelling."""
    for argument in context.args:
        click.echo(f"unknown argument: {argument}", err=True)
    if flags["model_base_path"]:
        flags["model_base_path"] = str(Path(flags["model_base_path"]).absolute())
    _run(Options(**flags))


def _run(options: Options) -> None:
    from serving.server.lean_import import import_tensorflow

    import_tensorflow()  # seconds
    from serving.server.app import Server
    from serving.server.status import StatusError

    try:
        server = Server(options)
    except StatusError as error:
        click.echo(f"Failed to start server. Error: {error}", err=True)
        sys.exit(FAILED_TO_START)
    for address in server.listens_on:
        click.echo(f"Serving {address}.")
    server.run_until_signalled()
    click.echo("Stopped.")
