"""`python -m serving overload`: twice as many calls as a server can answer."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import grpc

from serving.checks import figures
from serving.checks.latency import Latency, Tally, measure
from serving.checks.process_memory import ProcessMemory
from serving.client import calls
from serving.client.connection import open_channel
from serving.client.errors import from_status
from serving.wire.protos import prediction_service_pb2_grpc

_LIMIT_S: Final = 30.0  # of a call
_SHARE: Final = 6  # the overload takes so many times as long as each other part
_IN_FLIGHT: Final = 5000  # calls that nobody answers hold memory here


def overload(
    target: str,
    request: Any,
    clients: int,
    seconds: float,
    memory: ProcessMemory | None = None,
) -> dict[str, Any]:
    """One client alone, all of them, twice what they got answered, and one again.

    Args:
      target: host:port of a server.
      request: what is asked.
      clients: how many are tried, at most, to find the capacity.
      seconds: of the overload.
      memory: of the server's process, where it is one of this machine.

    Raises:
      grpc.RpcError: the server does not answer before it is overloaded.
    """
    with open_channel(target) as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        call = partial(predict, request, timeout=_LIMIT_S)
        call()
        [alone] = measure([[call]], seconds / _SHARE)
        full = _capacity(call, clients, seconds / _SHARE)
        held = _held(memory)
        rate = 2 * max(full.per_second, alone.per_second)
        admitted, offered = _offer(partial(predict.future, request), rate, seconds)
        recovered_s = _until_as_fast(call, alone.p99_s)
        [after] = measure([[call]], seconds / _SHARE)
    return {
        "alone": alone.to_json(),
        "capacity": full.to_json(),
        "offered_per_second": round(offered, 1),
        "overloaded": admitted.to_json(),
        "p99_to_alone": round(admitted.p99_s / alone.p99_s, 2),
        "recovered_ms": round(recovered_s * 1000, 1),
        "after": after.to_json(),
        **(_memory(memory, held) if memory else {}),
    }


def _capacity(call: Any, clients: int, seconds: float) -> Latency:
    """The most that is answered by 2, 4, 8, ... clients.

    Those that are refused ask again at once, so that too many of them cost the server
    more than they bring.
    """
    counts = [2**n for n in range(1, clients.bit_length())] or [clients]
    found = (measure([[call] * n], seconds / len(counts))[0] for n in counts)
    return max(found, key=lambda latency: latency.per_second)


def _until_as_fast(call: Any, wanted_s: float) -> float:
    """Seconds until a call that is alone takes no longer than it did before."""
    begun = time.perf_counter()
    while True:
        sent = time.perf_counter()
        try:
            call()
            answered = True
        except grpc.RpcError:
            answered = False
        now = time.perf_counter()
        if (answered and now - sent <= wanted_s) or now - begun > _LIMIT_S:
            return now - begun


def _held(memory: ProcessMemory | None) -> int:
    """MiB held now, from which on the peak is looked for."""
    if memory is None:
        return 0
    memory.forget_peak()
    return memory.mebibytes()


def _memory(memory: ProcessMemory, before: int) -> dict[str, int]:
    return {
        "mib_before": before,
        "mib_peak": memory.peak_mebibytes(),
        "mib_after": memory.mebibytes(),
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
    tally.lasted = time.perf_counter() - begun
    return tally.latency(), count / took


@click.command(name="overload")
@click.option("--target", default="localhost:8500", show_default=True)
@click.option("--model-name", default="uvcan", show_default=True)
@click.option(
    "--candidates",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="Videos to rank.",
)
@click.option(
    "--clients",
    type=click.IntRange(1, 1000),
    default=32,
    show_default=True,
    help="To find the capacity.",
)
@figures.seconds(120.0, "Of the overload.")
@click.option(
    "--process", type=click.IntRange(1), help="The server's number, for its memory."
)
@figures.out()
def overload_command(
    target: str,
    model_name: str,
    candidates: int,
    clients: int,
    seconds: float,
    process: int | None,
    out: Path | None,
) -> None:
    """Offers twice what the server can answer; tells what it refuses and how long
    the calls take that it admits, beside those of one client before and after."""
    videos = [f"v{number}" for number in range(candidates)]
    request = calls.rank_request(model_name, "u1", videos)
    try:
        memory = ProcessMemory(process) if process else None
        found = overload(target, request, clients, seconds, memory)
    except OSError as error:
        raise click.ClickException(
            f"--process {process} should be a server's process of this machine that "
            f"you may look at. Received: {error}."
        ) from None
    except grpc.RpcError as error:
        told = from_status(error.code(), error.details(), target)
        raise click.ClickException(str(told)) from None
    figures.tell(found, out)
