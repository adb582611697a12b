"""`python -m serving healthy`: whether a server serves, as an exit status."""

from __future__ import annotations

import click
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.client.connection import open_channel


@click.command()
@click.option("--target", default="localhost:8500", show_default=True, help="host:port")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="Deadline in seconds.",
)
def healthy(target: str, timeout: float) -> None:
    """Says whether every model of a server has a version that is ready."""
    try:
        with open_channel(target) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            found = stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout)
    except grpc.RpcError as error:
        raise click.ClickException(
            f"{target} should answer grpc.health.v1 within {timeout:g} s. Received: "
            f"{error.code().name} {error.details()}. Start the server with "
            "--enable_grpc_healthcheck_service."
        ) from error
    state = health_pb2.HealthCheckResponse.ServingStatus.Name(found.status)
    if found.status != health_pb2.HealthCheckResponse.SERVING:
        raise click.ClickException(
            f"{target} should be SERVING. Received: {state}. Wait until every model "
            "has a version, or read the server's log."
        )
    click.echo(state)
