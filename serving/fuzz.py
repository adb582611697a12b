"""`python -m serving fuzz`: malformed requests, and a good one right after each."""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import Final

import click
import grpc

from serving.conformance.case import Case
from serving.conformance.suite import all_cases

_GOOD: Final = "Predict with version 2 is answered by version 2"
_LEFT_OUT: Final = "HandleReloadConfigRequest"  # it would change what is served
_WRONG: Final = (
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
)


def mutate(content: bytes, other: bytes, source: random.Random) -> bytes:
    """A request with a few bytes changed, gone, repeated or from another request."""
    data = bytearray(content)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(data) + 1)
        kind = source.randrange(5)
        if kind == 0 and at < len(data):
            data[at] = source.randrange(256)
        elif kind == 1:
            del data[at : at + source.randint(1, 8)]
        elif kind == 2:
            data[at:at] = source.randbytes(source.randint(1, 8))
        elif kind == 3:
            data[at:at] = data[at : at + 16]
        else:
            start = source.randrange(len(other) + 1)
            data[at:at] = other[start : start + 32]
    return bytes(data)


def fuzz(
    channel: grpc.Channel, count: int, seed: int
) -> tuple[Counter[str], list[str]]:
    """Sends mutated requests; statuses by name, and what went wrong."""
    cases = all_cases()
    good = next(case for case in cases if case.name == _GOOD)
    wires = [case.wire() for case in cases if _LEFT_OUT not in str(case.wire()[0])]
    source = random.Random(seed)
    statuses: Counter[str] = Counter()
    wrong: list[str] = []
    for number in range(count):
        path, content, _ = source.choice(wires)
        sent = mutate(content, source.choice(wires)[1], source)
        code = _send(channel, path, sent)
        statuses[code.name] += 1
        if code in _WRONG:
            wrong.append(f"request {number}: {path} {sent!r} ended with {code.name}")
        wrong.extend(_after(good, channel, number))
    return statuses, wrong


def _send(channel: grpc.Channel, path: str, content: bytes) -> grpc.StatusCode:
    try:
        channel.unary_unary(path)(content, timeout=10.0)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def _after(good: Case, channel: grpc.Channel, number: int) -> list[str]:
    difference = good.run(channel)
    return [f"after request {number}: {difference}"] if difference else []


@click.command(name="fuzz")
@click.option("--target", required=True, help="host:port of a conformance server.")
@click.option("--count", default=10_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
def fuzz_command(target: str, count: int, seed: int) -> None:
    """Sends malformed requests to a server of the conformance models."""
    with grpc.insecure_channel(target) as channel:
        statuses, wrong = fuzz(channel, count, seed)
    for name, number in statuses.most_common():
        click.echo(f"{number:8d} {name}")
    for line in wrong[:20]:
        click.echo(line)
    click.echo(f"{count} malformed requests, {len(wrong)} wrong.")
    sys.exit(1 if wrong else 0)
