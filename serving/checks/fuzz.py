"""`python -m serving fuzz`: malformed requests, and a good one right after each."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator, MutableMapping, MutableSequence, Sequence
from pathlib import Path
from typing import Any, Final

import click
import grpc
from google.protobuf.message import DecodeError

from serving.checks.conformance.case import Case
from serving.checks.conformance.suite import all_cases
from serving.client.connection import require_server
from serving.client.errors import ServingError
from serving.wire.services import METHODS

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


def mutate_fields(message: Any, source: random.Random) -> None:
    """Changes a few fields of a message, so that it still can be read."""
    for _ in range(source.randint(1, 3)):
        holder, field = source.choice(list(_fields(message)) or [(None, None)])
        if holder is None:
            return
        values = getattr(holder, field.name)
        many = isinstance(values, MutableSequence | MutableMapping)
        if not many:
            if field.message_type or source.random() < 0.3:
                holder.ClearField(field.name)
            else:
                setattr(holder, field.name, _odd(field, source))
        elif _is_map(field):
            key = source.choice(sorted(values))
            if field.message_type.fields_by_name["value"].message_type:
                values[_odd_text(source)].CopyFrom(values[key])
            if source.random() < 0.5:
                del values[key]
        elif source.random() < 0.5 or field.message_type:
            values.extend(list(values)[: source.randint(0, 2)])
            del values[source.randrange(len(values))]
        else:
            values[source.randrange(len(values))] = _odd(field, source)


def _fields(message: Any) -> Iterator[tuple[Any, Any]]:
    """Every field that is set, with the message that holds it."""
    for field, value in message.ListFields():
        yield message, field
        if not field.message_type:
            continue
        if _is_map(field):
            inner = value.values()
            if not field.message_type.fields_by_name["value"].message_type:
                continue
        else:
            inner = value if isinstance(value, MutableSequence) else [value]
        for part in inner:
            yield from _fields(part)


def _is_map(field: Any) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def _odd(field: Any, source: random.Random) -> Any:
    """A value that the field can hold, and hardly ever should."""
    if field.cpp_type == field.CPPTYPE_STRING:
        text = _odd_text(source)
        return text.encode() if field.type == field.TYPE_BYTES else text
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return source.choice((float("nan"), float("inf"), -1.0, 3e38))
    if field.cpp_type == field.CPPTYPE_BOOL:
        return source.random() < 0.5
    if field.cpp_type == field.CPPTYPE_ENUM:
        return source.choice(field.enum_type.values).number
    signed = field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_INT64)
    return source.choice((0, 1, 7, 2**31 - 1, *((-1, -(2**31)) if signed else ())))


def _odd_text(source: random.Random) -> str:
    return source.choice(("", "nope", "x", "x" * 5000, "inputs", "\0\n", "日本"))


def _malformed(
    wires: Sequence[tuple[str, bytes, Any]], source: random.Random
) -> tuple[str, bytes]:
    """A path and a request: every other one is readable, but wrong."""
    path, content, _ = source.choice(wires)
    kinds = {method.path: method.request for method in METHODS.values()}
    if source.random() < 0.5 or path not in kinds:
        return path, mutate(content, source.choice(wires)[1], source)
    message = kinds[path]()
    try:
        message.ParseFromString(content)
    except DecodeError:  # some of the cases are garbage themselves
        return path, mutate(content, content, source)
    mutate_fields(message, source)
    return path, bytes(message.SerializeToString())


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
        path, sent = _malformed(wires, source)
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
@click.option("--count", type=click.IntRange(0), default=10_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--reloads",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="Folder of the models: send that many lists of models instead.",
)
def fuzz_command(target: str, count: int, seed: int, reloads: Path | None) -> None:
    """Sends malformed requests to a server of the conformance models."""
    from serving.checks.fuzz_reloads import fuzz_reloads

    with grpc.insecure_channel(target) as channel:
        try:
            require_server(channel, target)
        except ServingError as error:
            raise click.ClickException(str(error)) from None
        if reloads:
            statuses, wrong = fuzz_reloads(channel, reloads, count, seed)
        else:
            statuses, wrong = fuzz(channel, count, seed)
    for name, number in statuses.most_common():
        click.echo(f"{number:8d} {name}")
    for line in wrong[:20]:
        click.echo(line)
    click.echo(f"{count} malformed requests, {len(wrong)} wrong.")
    sys.exit(1 if wrong else 0)
