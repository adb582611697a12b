"""`python -m serving attacks`: what hostile REST bodies cost a server here."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any, Final
from urllib.parse import quote

import click

from serving.checks.process_memory import ProcessMemory

_SETTLE_S: Final = 1.0  # before memory is looked at
_MOST_S: Final = 300.0
_COUNT: Final = click.IntRange(0, 20_000)
_STALLED: Final = (b"", b"POST /v1/mod", b"Content-Length: 9\r\n\r\n{")


def bodies(model: str) -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    """(name, path, body, headers) of each attack."""
    path, zipped = f"/v1/models/{quote(model)}:predict", {"Content-Encoding": "gzip"}
    start = b'{"signature_name": "rank", "inputs": {"user_id": ["u1"], "video_ids": [['
    ids = start + b'"v1",' * 3_350_000 + b'"v1"]]}}'
    yield "rank of 50 MB", path, start + b'"v1",' * 10_000_000 + b'"v1"]]}}', {}
    yield "rank of 16 MB", path, ids, {}
    yield "the same, zipped", path, gzip.compress(ids), zipped
    yield "400 MB, zipped", path, gzip.compress(b" " * 400_000_000), zipped
    yield "a string without end", path, b'{"a": "' + b"x" * (2**24 - 9), {}
    yield "lists in lists", path, b'{"inputs": ' + b"[" * (2**24 - 99), {}
    yield "empty lists", path, b'{"inputs": [' + b"[]," * 5_500_000 + b"[]]}", {}


def attack(port: int, process: int, model: str) -> Iterator[dict[str, Any]]:
    """The figures of one attack after the other; MiB as Linux tells them."""
    memory = ProcessMemory(process)
    for name, path, body, headers in bodies(model):
        memory.forget_peak()
        before, begun = memory.mebibytes(), time.monotonic()
        with closing(_connection(port)) as connection:
            connection.request("POST", path, body, headers)
            reply = connection.getresponse()
            reply.read()
        took = time.monotonic() - begun
        time.sleep(_SETTLE_S)
        yield {
            "attack": name,
            "status": reply.status,
            "seconds": round(took, 1),
            "mib_before": before,
            "mib_peak": memory.peak_mebibytes(),
            "mib_after": memory.mebibytes(),
        }


def stall(port: int, model: str, count: int) -> tuple[float, int]:
    """Connections that say no more; seconds until the last is closed, and those left.

    The server's `--rest_api_timeout_in_ms` should be a few seconds.
    """
    head = f"POST /v1/models/{quote(model)}:predict HTTP/1.1\r\nHost: x\r\n".encode()
    begun, waiting = time.monotonic(), []
    with ExitStack() as stack:
        for number in range(count):
            sent = _STALLED[number % len(_STALLED)]
            stalled = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            stalled.sendall(head + sent if sent.startswith(b"Content") else sent)
            stalled.setblocking(False)
            waiting.append(stalled)
        while waiting and time.monotonic() < begun + _MOST_S:
            waiting = [one for one in waiting if not _is_closed(one)]
            time.sleep(0.1)
    return round(time.monotonic() - begun, 1), len(waiting)


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1000) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=_MOST_S)


@click.command(name="attacks")
@click.option(
    "--rest-port", required=True, type=click.IntRange(1, 65_535), help="Of a server."
)
@click.option(
    "--process", required=True, type=click.IntRange(1), help="The server's number."
)
@click.option("--model-name", default="uvcan", show_default=True)
@click.option(
    "--stalled", type=_COUNT, default=200, show_default=True, help="Connections."
)
@click.option(
    "--most-mib", type=_COUNT, default=1000, show_default=True, help="To take and keep."
)
def attacks_command(
    rest_port: int, process: int, model_name: str, stalled: int, most_mib: int
) -> None:
    """Sends hostile bodies to a server on Linux, and tells its memory and its time."""
    wrong = 0
    try:
        for figures in attack(rest_port, process, model_name):
            click.echo(json.dumps(figures))
            wrong += figures["mib_peak"] - figures["mib_before"] > most_mib
        seconds, left = stall(rest_port, model_name, stalled)
    except (OSError, http.client.HTTPException) as error:
        raise click.ClickException(
            f"Process {process} should be a server that listens on {rest_port} of this "
            f"machine, by REST. Received: {error!r}."
        ) from None
    click.echo(json.dumps({"stalled": stalled, "open": left, "seconds": seconds}))
    sys.exit(1 if wrong or left else 0)
