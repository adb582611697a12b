"""`python -m serving conformance`."""

from __future__ import annotations

import sys
import urllib.error
from pathlib import Path

import click
import grpc

from serving.checks.conformance.suite import run_all
from serving.client.connection import open_channel, require_server
from serving.client.errors import ServingError
from serving.client.records import Tls
from serving.flags import tls_options


@click.command()
@click.option("--target", help="host:port of the server to ask.")
@click.option("--rest", "rest_url", help="http://host:port, to ask that as well.")
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
    tls: Tls | None,
    write_models: Path | None,
    seen_as: Path | None,
) -> None:
    """Asks a server what TF Serving would be asked, and tells where it differs.

    The server must serve the models of --write-models by their models.config, with
    --allow_version_labels_for_unavailable_models.
    """
    if write_models:
        from serving.checks.conformance import models  # TensorFlow: seconds

        models.write_models(write_models.absolute(), seen_as)
        click.echo(f"Wrote {write_models / models.CONFIG_FILE} and its models.")
        return
    if not target:
        raise click.UsageError("Give --target, or --write-models.")
    with open_channel(target, tls) as channel:
        try:
            require_server(channel, target)
            sys.exit(_report(channel, rest_url))
        except (ServingError, urllib.error.URLError) as error:
            where = f"{rest_url}: " if isinstance(error, OSError) else ""
            raise click.ClickException(f"{where}{error}") from None


def _report(channel: grpc.Channel, rest_url: str | None) -> int:
    different = count = 0
    for verdict in run_all(channel, rest_url):
        count += 1
        if verdict.difference is None:
            click.echo(f"ok   {verdict.case.name}")
            continue
        different += 1
        click.echo(f"FAIL {verdict.case.name}\n     {verdict.difference}")
    click.echo(f"{count} cases, {different} different.")
    return 1 if different else 0
