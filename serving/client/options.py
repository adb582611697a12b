"""What the client's commands are told of a user, as options."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click


def _attributes(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, Any]:
    """A name that is given several times has several values."""
    pairs = [text.partition("=") for text in given]
    if not all(name.strip(":") and sign and value for name, sign, value in pairs):
        raise click.BadParameter("Attributes are given as NAME=VALUE or NAME:=NUMBER.")
    values: dict[str, list[Any]] = {}
    for name, _, value in pairs:
        own = name.removesuffix(":")
        values.setdefault(own, []).append(value if own == name else _number(value))
    return {name: v[0] if len(v) == 1 else v for name, v in values.items()}


def _number(text: str) -> Any:
    """A number, or a vector of them, as JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise click.BadParameter(
            "After := there should be a number, or numbers such as [0.5,1]. "
            f"Received: {text!r}."
        ) from None


attribute_option = click.option(
    "--attribute",
    "attributes",
    multiple=True,
    callback=_attributes,
    help="NAME=VALUE, or NAME:=NUMBER, of a user whom the model does not know; "
    "repeatable.",
)


def history_options(command: Callable[..., None]) -> Callable[..., None]:
    """What a command is further told of a user: `liked` and `skipped`, as text."""
    command = click.option(
        "--skipped",
        default="",
        help="Videos that were shown to a user whom the model does not know, and not "
        "liked: a,b,c. For models whose prior knows impressions.",
    )(command)
    return click.option(
        "--liked",
        default="",
        help="Videos that the user likes, beside those that the model has seen: a,b,c. "
        "For models with a history.",
    )(command)
