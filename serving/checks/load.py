"""`python -m serving load`: latency and throughput of a server, bounded in time."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from serving.client import calls
from serving.client.connection import open_channel
from serving.wire import tensors
from serving.wire.protos import prediction_service_pb2_grpc

Call = Callable[[], Any]
_WARM_CALLS = 5


@dataclasses.dataclass(frozen=True)
class Latency:
    """Seconds at three percentiles, and calls a second."""

    count: int
    p50_s: float
    p95_s: float
    p99_s: float
    per_second: float

    def __str__(self) -> str:
        p50, p95, p99 = (x * 1000 for x in (self.p50_s, self.p95_s, self.p99_s))
        return f"{p50:9.3f} {p95:9.3f} {p99:9.3f} {self.per_second:9.1f}"

    def to_json(self) -> dict[str, float]:
        """Milliseconds."""
        return {
            "count": self.count,
            "p50_ms": round(self.p50_s * 1000, 3),
            "p95_ms": round(self.p95_s * 1000, 3),
            "p99_ms": round(self.p99_s * 1000, 3),
            "per_second": round(self.per_second, 1),
        }


def measure(calls_of_clients: list[Call], seconds: float) -> Latency:
    """Calls from one thread for each client until the time is over."""
    took: list[list[float]] = [[] for _ in calls_of_clients]

    def ask(call: Call, own: list[float]) -> None:
        for _ in range(_WARM_CALLS):
            call()
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            own.append(_timed(call))

    pairs = zip(calls_of_clients, took, strict=True)
    threads = [threading.Thread(target=ask, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return summary([value for own in took for value in own], seconds)


def side_by_side(first: Call, second: Call, seconds: float) -> tuple[Latency, Latency]:
    """Two calls in turn until the time is over, so that both meet the same machine."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(_WARM_CALLS):
        first(), second()
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        for call, own in zip((first, second), took, strict=True):
            own.append(_timed(call))
    one, other = (summary(own, sum(own)) for own in took)
    return one, other


def summary(values: list[float], seconds: float) -> Latency:
    """Percentiles of latencies gathered within some seconds."""
    ordered = sorted(values)
    last = len(ordered) - 1
    p50, p95, p99 = (ordered[round(share * last)] for share in (0.5, 0.95, 0.99))
    return Latency(len(ordered), p50, p95, p99, len(ordered) / seconds)


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


def _timed(call: Call) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _requests(model: str, candidates: list[int], k: int) -> dict[str, Any]:
    found = {
        f"rank {count}": calls.rank_request(
            model, "u1", [f"v{number}" for number in range(count)]
        )
        for count in candidates
    }
    return {**found, f"recommend {k}": calls.recommend_request(model, "u1", k, ())}


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _rows(
    target: str,
    requests: dict[str, Any],
    clients: list[int],
    seconds: float,
    alone: Callable[[Any], Call] | None,
) -> Iterator[tuple[str, str, Latency]]:
    """(call, clients, latency) of everything that is to be measured."""
    for name, request in requests.items():
        with open_channel(target) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

            def call(predict: Any = stub.Predict, sent: Any = request) -> Any:
                return predict(sent, timeout=60.0)

            if alone:
                without, one = side_by_side(alone(request), call, seconds)
                yield name, "no server", without
                yield name, "in turn", one
            for count in clients:
                yield name, str(count), measure([call] * count, seconds)


@click.command()
@click.option("--target", default="localhost:8500", show_default=True)
@click.option("--model-name", default="uvcan", show_default=True)
@click.option("--clients", default="1,8,32", show_default=True)
@click.option("--candidates", default="1,100,1000", show_default=True)
@click.option("-k", default=10, show_default=True, help="Videos to recommend.")
@click.option("--seconds", default=5.0, show_default=True, help="For each row.")
@click.option(
    "--in-process",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The version folder, to run it without a server in turn with it.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Figures as JSON.")
def load(
    target: str,
    model_name: str,
    clients: str,
    candidates: str,
    k: int,
    seconds: float,
    folder: Path | None,
    out: Path | None,
) -> None:
    """Prints p50, p95 and p99 in milliseconds, and calls a second."""
    requests = _requests(model_name, _numbers(candidates), k)
    alone = in_process(folder) if folder else None
    click.echo(f"{'call':15s} {'clients':>9s}       p50       p95       p99   calls/s")
    rows = []
    for name, who, found in _rows(target, requests, _numbers(clients), seconds, alone):
        click.echo(f"{name:15s} {who:>9s} {found}")
        rows.append({"call": name, "clients": who, **found.to_json()})
    if out:
        figures = {"cores": os.cpu_count(), "seconds": seconds, "rows": rows}
        out.write_text(json.dumps(figures, indent=1) + "\n")
