"""`python -m serving load`: latency and throughput of a server, bounded in time."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import grpc

from serving import calls, tensors
from serving.connection import CHANNEL_OPTIONS
from serving.protos import prediction_service_pb2_grpc

Call = Callable[[], Any]


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
        return f"{p50:8.3f} {p95:8.3f} {p99:8.3f} {self.per_second:9.1f}"


def measure(calls_of_clients: list[Call], seconds: float) -> Latency:
    """Calls from one thread for each client until the time is over."""
    took: list[list[float]] = [[] for _ in calls_of_clients]

    def ask(call: Call, own: list[float]) -> None:
        for _ in range(5):
            call()
        ends = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < ends:
            call()
            own.append(time.perf_counter() - begun)

    pairs = zip(calls_of_clients, took, strict=True)
    threads = [threading.Thread(target=ask, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return summary([value for own in took for value in own], seconds)


def summary(values: list[float], seconds: float) -> Latency:
    """Percentiles of latencies gathered within some seconds."""
    ordered = sorted(values)
    last = len(ordered) - 1
    p50, p95, p99 = (ordered[round(share * last)] for share in (0.5, 0.95, 0.99))
    return Latency(len(ordered), p50, p95, p99, len(ordered) / seconds)


def _requests(model: str, candidates: list[int], k: int) -> dict[str, Any]:
    found = {
        f"rank {count}": calls.rank_request(
            model, "u1", [f"v{number}" for number in range(count)]
        )
        for count in candidates
    }
    return {**found, f"recommend {k}": calls.recommend_request(model, "u1", k, ())}


def _in_process(folder: Path, request: Any) -> Call:
    """The same signature of the same SavedModel, without a server."""
    from serving.server.savedmodel import SavedModel  # TensorFlow: seconds

    model = SavedModel(folder)
    signature = model.signatures[request.model_spec.signature_name]
    feeds = {
        signature.inputs[name].name: tensors.to_array(proto)
        for name, proto in request.inputs.items()
    }
    fetches = [signature.outputs[name].name for name in sorted(signature.outputs)]
    return lambda: model.run(feeds, fetches)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


@click.command()
@click.option("--target", default="localhost:8500", show_default=True)
@click.option("--model-name", default="uvcan", show_default=True)
@click.option("--clients", default="1,8,32", show_default=True)
@click.option("--candidates", default="1,100,1000", show_default=True)
@click.option("-k", default=10, show_default=True, help="Videos to recommend.")
@click.option("--seconds", default=5.0, show_default=True, help="For each row.")
@click.option(
    "--in-process",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The version folder, to run it without a server as well.",
)
def load(
    target: str,
    model_name: str,
    clients: str,
    candidates: str,
    k: int,
    seconds: float,
    in_process: Path | None,
) -> None:
    """Prints p50, p95 and p99 in milliseconds, and calls a second."""
    click.echo(f"{'call':16s} {'clients':>8s}      p50      p95      p99   calls/s")
    for name, request in _requests(model_name, _numbers(candidates), k).items():
        if in_process:
            alone = measure([_in_process(in_process, request)], seconds)
            click.echo(f"{name:16s} {'none':>8s} {alone}")
        for count in _numbers(clients):
            with grpc.insecure_channel(target, CHANNEL_OPTIONS) as channel:
                stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

                def call(predict: Any = stub.Predict, sent: Any = request) -> Any:
                    return predict(sent, timeout=60.0)

                found = measure([call] * count, seconds)
            click.echo(f"{name:16s} {count:8d} {found}")
