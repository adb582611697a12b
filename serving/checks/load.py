"""`python -m serving load`: latency and throughput of a server, bounded in time."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from serving.checks import figures
from serving.checks.kept_connection import KeptConnection
from serving.checks.latency import Call, Latency, measure, side_by_side
from serving.checks.load_tables import load_tables
from serving.client import calls
from serving.client.connection import open_channel
from serving.wire import tensors
from serving.wire.protos import prediction_service_pb2_grpc
from uvcan_tf import features as names

_TURNS: Final = 5  # that two servers take in one row


@dataclasses.dataclass(frozen=True)
class Row:
    """Figures of one call.

    Args:
      call: its name, with the number of videos.
      clients: how many there were, or what stood for them.
      batching: whether the server joins calls.
      latency: the figures.
    """

    call: str
    clients: str
    batching: bool
    latency: Latency

    def __str__(self) -> str:
        on = "on" if self.batching else ""
        return f"{self.call:15s} {self.clients:>9s} {on:>8s} {self.latency}"

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        named = {"call": self.call, "clients": self.clients}
        if self.batching:
            named["batching"] = "on"
        return {**named, **self.latency.to_json()}


def in_process(folder: Path) -> Callable[[Any], Call]:
    """The same signatures of the same SavedModel, without a server.

    Args:
      folder: of the version.

    Returns:
      From a request to a call that runs it on tensors made beforehand.
    """
    from serving.server.savedmodel import SavedModel  # TensorFlow: seconds

    model = SavedModel(folder)

    def bound(request: Any) -> Call:
        signature = model.signatures[request.model_spec.signature_name]
        sent = {**signature.defaults, **request.inputs}
        feeds = {
            signature.inputs[name].name: tensors.to_array(proto)
            for name, proto in sent.items()
        }
        wanted = request.output_filter or sorted(signature.outputs)
        fetches = [signature.outputs[name].name for name in wanted]
        return lambda: model.run(feeds, fetches)

    return bound


def _requests(model: str, candidates: list[int], k: int) -> dict[str, Any]:
    found = {
        f"rank {count}": calls.rank_request(
            model, "u1", [f"v{number}" for number in range(count)]
        )
        for count in candidates
    }
    return {**found, f"recommend {k}": calls.recommend_request(model, "u1", k, ())}


def _numbers(
    context: click.Context, parameter: click.Parameter, text: str
) -> list[int]:
    """A callback of an option: counts, separated by commas."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise click.BadParameter(
            f"There should be whole numbers from 1 on, such as 1,8,32. "
            f"Received: {text!r}."
        )
    return [int(part) for part in parts]


@dataclasses.dataclass(frozen=True)
class _Plan:
    """Who calls whom, and for how long.

    Args:
      targets: addresses, by whether the server there joins calls.
      clients: numbers of clients.
      seconds: for each row.
      alone: runs a request without a server; None leaves those rows out.
      rest: the REST address of the server that joins nothing, asked for `rank` by one
        client whose connection stays open; None leaves those rows out.
    """

    targets: Mapping[bool, str]
    clients: Sequence[int]
    seconds: float
    alone: Callable[[Any], Call] | None
    rest: str | None = None

    def rows(self, requests: Mapping[str, Any]) -> Iterator[Row]:
        """Everything that is to be measured; servers side by side take turns."""
        for name, request in requests.items():
            with contextlib.ExitStack() as stack:
                asked = {
                    batching: _call(stack.enter_context(open_channel(target)), request)
                    for batching, target in self.targets.items()
                }
                if self.alone:
                    both = side_by_side(self.alone(request), asked[False], self.seconds)
                    for who, found in zip(("no server", "in turn"), both, strict=True):
                        yield Row(name, who, False, found)
                if self.rest and request.model_spec.signature_name == names.RANK:
                    kept = contextlib.closing(KeptConnection(self.rest, request))
                    [found] = measure([[stack.enter_context(kept)]], self.seconds)
                    yield Row(name, "REST", False, found)
                for count in self.clients:
                    groups = [[call] * count for call in asked.values()]
                    turns = _TURNS if len(groups) > 1 else 1
                    measured = measure(groups, self.seconds, turns)
                    for batching, found in zip(asked, measured, strict=True):
                        yield Row(name, str(count), batching, found)


def _call(channel: Any, request: Any) -> Call:
    predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
    return lambda: predict(request, timeout=60.0)


@click.command()
@click.option("--target", default="localhost:8500", show_default=True)
@click.option(
    "--batching-target",
    help="host:port of the same model with --enable_batching, to take turns with.",
)
@click.option("--rest", help="http://host:port of --target, for a kept connection.")
@click.option("--model-name", default="uvcan", show_default=True)
@click.option("--clients", default="1,8,32", show_default=True, callback=_numbers)
@click.option(
    "--candidates", default="1,100,1000", show_default=True, callback=_numbers
)
@click.option(
    "-k",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Videos to recommend.",
)
@figures.seconds(5.0, "For each row.")
@click.option(
    "--in-process",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The version folder, to run it without a server in turn with it.",
)
@figures.out("Figures as JSON, with Markdown tables beside.")
def load(
    target: str,
    batching_target: str | None,
    rest: str | None,
    model_name: str,
    clients: list[int],
    candidates: list[int],
    k: int,
    seconds: float,
    folder: Path | None,
    out: Path | None,
) -> None:
    """Prints p50, p95 and p99 in milliseconds, and calls a second.

    Refused calls are counted beside the answered ones, by their status.
    """
    targets = {False: target, **({True: batching_target} if batching_target else {})}
    alone = in_process(folder) if folder else None
    plan = _Plan(targets, clients, seconds, alone, rest)
    click.echo(
        f"{'call':15s} {'clients':>9s} {'batching':>8s}"
        "       p50       p95       p99   calls/s"
    )
    rows = []
    for row in plan.rows(_requests(model_name, candidates, k)):
        click.echo(str(row))
        rows.append(row.to_json())
        if not row.latency.count:
            raise click.ClickException(
                f"The server at {targets[row.batching]} should answer `{row.call}` for "
                f"{row.clients} clients. Received: {row.latency.refused}. Start it "
                "with `--grpc_max_threads` above that number, with that model."
            )
    if out:
        kept = {"cores": os.cpu_count(), "seconds": seconds, "rows": rows}
        out.write_text(json.dumps(kept, indent=1) + "\n")
        out.with_suffix(".md").write_text(load_tables(rows))
