"""Commands that look at what runs left behind; they change nothing but pages."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tfx_pipeline.quick_imports import quick_imports
from tfx_pipeline.sentences import one_sentence
from uvcan_tf.terminal.quiet import quiet

_ROOT = click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Of the pipeline.",
)
_RUN = click.option("--run", "number", type=int, help="Its number. [default: the last]")


@click.command()
@_ROOT
@click.option("--host", default="localhost", show_default=True)
@click.option("--port", default=6006, show_default=True)
def tensorboard(root: Path, host: str, port: int) -> None:
    """Open TensorBoard on all training runs of a root, side by side."""
    quiet()
    with one_sentence():
        from tfx_pipeline import board

        board.serve(root, host, port)


@click.command()
@_ROOT
@_RUN
def report(root: Path, number: int | None) -> None:
    """Write the page of a run again."""
    quiet()
    with one_sentence(), quick_imports():
        from tfx_pipeline.page.write import write

        click.echo(write(root.resolve(), number))


@click.command()
@_ROOT
@_RUN
def show(root: Path, number: int | None) -> None:
    """Print the figures and the timings of a run again."""
    quiet()
    with one_sentence(), quick_imports():
        from tfx_pipeline import console

        console.show(root.resolve(), number)


@click.command()
@click.argument("version")
@_ROOT
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def lineage(version: str, root: Path, as_json: bool) -> None:
    """Tell what the pushed VERSION was made from."""
    quiet()
    with one_sentence(), quick_imports():
        from tfx_pipeline import lineage as origins
        from tfx_pipeline.page.content import store_of

        root = root.resolve()
        steps = origins.of_version(store_of(root), root, version)
    if as_json:
        click.echo(json.dumps([step._asdict() for step in steps]))
        return
    for step in steps:
        click.echo(f"{step.number:>4}  {step.node}, {step.began}, {step.took_s:.1f} s")
        for kind, place in step.made:
            click.echo(f"      {kind}  {place}")
