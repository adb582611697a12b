"""`python -m serving conformance`."""

from __future__ import annotations

import sys
import urllib.error
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import grpc

from serving.checks.conformance.suite import Verdict, run_all, run_batching
from serving.client.connection import open_channel, require_server
from serving.client.errors import ServingError
from serving.client.records import Tls
from serving.flags import tls_options


@click.command()
@click.option("--target", help="host:port of the server to ask.")
@click.option("--rest", "rest_url", help="http://host:port, to ask that as well.")
@click.option(
    "--batching-target",
    help="host:port of a server with --enable_batching and an exported model.",
)
@click.option("--model-name", default="uvcan", show_default=True, help="There.")
@click.option(
    "--users", default="u1,u2,u3", show_default=True, help="Some of its users."
)
@tls_options
@click.option(
    "--write-models",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the models that the cases call, with their models.config, and stop.",
)
@click.option(
    "--seen-as",
    type=click.Path(path_type=Path),
    help="That folder's path where the server runs, such as /models in a container.",
)
def conformance(
    target: str | None,
    rest_url: str | None,
    batching_target: str | None,
    model_name: str,
    users: str,
    tls: Tls | None,
    write_models: Path | None,
    seen_as: Path | None,
) -> None:
    """Asks a server what TF Serving would be asked, and tells where it differs.

    The server must serve the models of --write-models by their models.config, with
    --allow_version_labels_for_unavailable_models. The one of --batching-target serves a
    model that this project exported, with serving/deploy/batching.config.
    """
    if write_models:
        _write(write_models, seen_as)
        return
    if not (target or batching_target):
        raise click.UsageError("Give --target, --batching-target or --write-models.")
    verdicts: list[Verdict] = []
    if target:
        verdicts += _played(target, tls, lambda on: run_all(on, rest_url))
    if batching_target:
        asked = (model_name, users.split(","))
        verdicts += _played(batching_target, tls, lambda on: run_batching(on, *asked))
    different = sum(verdict.difference is not None for verdict in verdicts)
    click.echo(f"{len(verdicts)} cases, {different} different.")
    sys.exit(1 if different else 0)


def _write(folder: Path, seen_as: Path | None) -> None:
    from serving.checks.conformance import models  # TensorFlow: seconds

    models.write_models(folder.absolute(), seen_as)
    click.echo(f"Wrote {folder / models.CONFIG_FILE} and its models.")


def _played(
    target: str, tls: Tls | None, run: Callable[[grpc.Channel], Iterable[Verdict]]
) -> list[Verdict]:
    """The verdicts of a server, each told as it comes."""
    found = []
    with open_channel(target, tls) as channel:
        try:
            require_server(channel, target)
            for verdict in run(channel):
                found.append(verdict)
                click.echo(_told(verdict))
        except urllib.error.URLError as error:
            raise click.ClickException(
                f"The address of --rest should answer. Received: {error}."
            ) from None
        except ServingError as error:
            raise click.ClickException(str(error)) from None
    return found


def _told(verdict: Verdict) -> str:
    if verdict.difference is None:
        return f"ok   {verdict.case.name}"
    return f"FAIL {verdict.case.name}\n     {verdict.difference}"
