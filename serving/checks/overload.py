"""`python -m serving overload`: twice as many calls as a server can answer."""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import grpc

from serving.checks.latency import Latency, Tally, measure
from serving.client import calls
from serving.client.connection import open_channel
from serving.client.errors import from_status
from serving.wire.protos import prediction_service_pb2_grpc

_LIMIT_S: Final = 30.0  # of a call
_SHARE: Final = 6  # the overload takes so many times as long as each other part
_IN_FLIGHT: Final = 5000  # calls that nobody answers hold memory here


def overload(target: str, request: Any, clients: int, seconds: float) -> dict[str, Any]:
    """One client alone, all of them, twice what they got answered, and one again.

    Args:
      target: host:port of a server.
      request: what is asked.
      clients: so many that the server has no thread left to answer more.
      seconds: of the overload.

    Raises:
      grpc.RpcError: the server does not answer before it is overloaded.
    """
    with open_channel(target) as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict

        def call() -> Any:
            return predict(request, timeout=_LIMIT_S)

        call()
        [alone] = measure([[call]], seconds / _SHARE)
        [full] = measure([[call] * clients], seconds / _SHARE)
        rate = 2 * full.per_second
        admitted, offered = _offer(partial(predict.future, request), rate, seconds)
        [after] = measure([[call]], seconds / _SHARE)
    return {
        "alone": alone.to_json(),
        "capacity": full.to_json(),
        "offered_per_second": round(offered, 1),
        "overloaded": admitted.to_json(),
        "p99_to_alone": round(admitted.p99_s / alone.p99_s, 2),
        "after": after.to_json(),
    }


def _offer(send: Any, rate: float, seconds: float) -> tuple[Latency, float]:
    """Sends calls by the clock, whether or not others are answered.

    Returns:
      The figures, and how many calls a second could be sent.
    """
    tally, room = Tally(), threading.Semaphore(_IN_FLIGHT)

    def note(sent: float, reply: Any) -> None:
        if reply.code() is grpc.StatusCode.OK:
            tally.took.append(time.perf_counter() - sent)
        else:
            tally.refused[reply.code().name] += 1
        room.release()

    begun = time.perf_counter()
    count = max(1, round(rate * seconds))
    for number in range(count):
        time.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        room.acquire()
        sent = time.perf_counter()
        send(timeout=_LIMIT_S).add_done_callback(partial(note, sent))
    took = time.perf_counter() - begun
    for _ in range(_IN_FLIGHT):
        room.acquire()
    return tally.latency(took), count / took


@click.command(name="overload")
@click.option("--target", default="localhost:8500", show_default=True)
@click.option("--model-name", default="uvcan", show_default=True)
@click.option("--candidates", default=1000, show_default=True, help="Videos to rank.")
@click.option("--clients", default=32, show_default=True, help="To find the capacity.")
@click.option("--seconds", default=120.0, show_default=True, help="Of the overload.")
@click.option("--out", type=click.Path(path_type=Path), help="Figures as JSON.")
def overload_command(
    target: str,
    model_name: str,
    candidates: int,
    clients: int,
    seconds: float,
    out: Path | None,
) -> None:
    """Offers twice what the server can answer; tells what it refuses and how long
    the calls take that it admits, beside those of one client before and after."""
    videos = [f"v{number}" for number in range(candidates)]
    request = calls.rank_request(model_name, "u1", videos)
    try:
        figures = overload(target, request, clients, seconds)
    except grpc.RpcError as error:
        told = from_status(error.code(), error.details(), target)
        raise click.ClickException(str(told)) from None
    text = json.dumps(figures, indent=1)
    click.echo(text)
    if out:
        out.write_text(text + "\n")
