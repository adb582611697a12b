"""Commands that look at what runs left behind; they change nothing but pages."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from tfx_pipeline.quick_imports import quick_imports
from tfx_pipeline.sentences import one_sentence
from uvcan_tf.errors import ConfigError
from uvcan_tf.terminal import attention_file
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
@click.option("--port", type=click.IntRange(0, 65535), default=6006, show_default=True)
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


@click.command()
@_ROOT
@click.option("--user", help="A user id.")
@click.option("--video", help="A video id; without, the user's best videos.")
@click.option("--slice", "group", help="NAME=VALUE of users, instead of one user.")
@click.option("--top", default=50, show_default=True, help="Best videos of a user.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="PNG, HTML."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(root: Path, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Tell what users and videos look at in each other, by the model pushed last."""
    quiet()
    with one_sentence(), quick_imports():
        from tfx_pipeline.explanations import Explainer

        _check(out, **asked)
        explained = _explained(Explainer(root.resolve()), **asked)
        if out is not None:
            attention_file.write(out, explained.title, explained.matrices)
            click.echo(out, err=as_json)
    if as_json or out is None:
        click.echo(json.dumps(dataclasses.asdict(explained), indent=2))


def _check(
    out: Path | None, user: str | None, group: str | None, video: str | None, top: int
) -> None:
    if (user is None) == (group is None):
        raise ConfigError("Either --user or --slice should be given, and not both.")
    if group is not None and "=" not in group:
        raise ConfigError(f"--slice should be NAME=VALUE. Received: {group!r}.")
    if top < 1:
        raise ConfigError(f"--top should be at least 1. Received: {top}.")
    if out is not None and out.suffix not in attention_file.ENDINGS:
        raise ConfigError(
            f"--out should end in {' or '.join(attention_file.ENDINGS)}. "
            f"Received: {out}."
        )
    if out is not None and not out.parent.is_dir():
        raise ConfigError(f"--out {out}: the folder {out.parent} does not exist.")


def _explained(
    explainer: Any, user: str | None, group: str | None, video: str | None, top: int
) -> Any:
    if user is None:
        name, _, value = str(group).partition("=")
        return explainer.slice(name, value, top)
    if video is None:
        return explainer.user(user, top)
    return explainer.pair(user, video)
