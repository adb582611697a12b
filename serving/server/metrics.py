"""Counters and latencies under TF Serving's names, for Prometheus."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

DEFAULT_PATH: Final = "/monitoring/prometheus/metrics"
REQUEST_COUNT: Final = ":tensorflow:serving:request_count"
REQUEST_LATENCY: Final = ":tensorflow:serving:request_latency"
RUNTIME_LATENCY: Final = ":tensorflow:serving:runtime_latency"
EXAMPLE_COUNTS: Final = ":tensorflow:serving:request_example_counts"
EXAMPLE_COUNT_TOTAL: Final = ":tensorflow:serving:request_example_count_total"
WARM_UP_LATENCY: Final = ":tensorflow:serving:model_warmup_latency"
QUEUING_LATENCY: Final = ":tensorflow:serving:batching_session:queuing_latency"
WRAPPED_RUNS: Final = ":tensorflow:serving:batching_session:wrapped_run_count"
LOAD_ATTEMPTS: Final = ":tensorflow:cc:saved_model:load_attempt_count"
LOAD_LATENCY: Final = ":tensorflow:cc:saved_model:load_latency"

_MICROS: Final = tuple(10 * 1.8**power for power in range(33))
_QUEUED: Final = tuple(100 * 1.2**power for power in range(52))
_COUNTS: Final = tuple(2.0**power for power in range(15))
_RUNTIME: Final = "TF1"


@dataclasses.dataclass(frozen=True)
class _Kind:
    """A metric: its labels, what it tells, and the bounds of a histogram."""

    labels: tuple[str, ...]
    text: str
    bounds: tuple[float, ...] = ()


_KINDS: Final[Mapping[str, _Kind]] = {
    REQUEST_COUNT: _Kind(("model_name", "status"), "The total number of requests."),
    REQUEST_LATENCY: _Kind(
        ("model_name", "API", "entrypoint"),
        "Distribution of wall time (in microseconds) for Tensorflow Serving request.",
        _MICROS,
    ),
    RUNTIME_LATENCY: _Kind(
        ("model_name", "API", "runtime"),
        "Distribution of wall time (in microseconds) for Tensorflow runtime.",
        _MICROS,
    ),
    EXAMPLE_COUNTS: _Kind(
        ("model",), "The number of tensorflow.Examples per request.", _COUNTS
    ),
    EXAMPLE_COUNT_TOTAL: _Kind(("model",), "The total number of tensorflow.Examples."),
    WARM_UP_LATENCY: _Kind(
        ("model_path", "status"),
        "Distribution of wall time (in microseconds) for warming up the model.",
        _MICROS,
    ),
    QUEUING_LATENCY: _Kind(
        ("thread_pool_name",),
        "Distribution of wall time spent (in microseconds) in queuing",
        _QUEUED,
    ),
    WRAPPED_RUNS: _Kind((), "Total count of run calls on the wrapped session."),
    LOAD_ATTEMPTS: _Kind(
        ("model_path", "status"),
        "The number of times a SavedModel was requested to be loaded.",
    ),
    LOAD_LATENCY: _Kind(
        ("model_path",), "Latency in microseconds for SavedModels that were loaded."
    ),
}


class Metrics:
    """What was asked, and how long the answers took.

    A child of a library metric is one combination of labels; a thread that saw it
    before reaches it without a lock.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._metrics = {
            name: _metric(name, kind, self._registry) for name, kind in _KINDS.items()
        }
        self._children: dict[tuple[str, ...], Any] = {}

    def answered(
        self, model: str, by: tuple[str, str], status: str, seconds: float
    ) -> None:
        """Notes one call of (API, entry point); latencies are those of successes."""
        self._of(REQUEST_COUNT, model, status).inc()
        if status == "OK":
            self._of(REQUEST_LATENCY, model, *by).observe(int(seconds * 1e6))

    def ran(self, model: str, call: str, seconds: float) -> None:
        """Notes one run of a graph."""
        self._of(RUNTIME_LATENCY, model, call, _RUNTIME).observe(int(seconds * 1e6))

    def counted(self, model: str, examples: int) -> None:
        """Notes the examples of one request."""
        self._of(EXAMPLE_COUNTS, model).observe(examples)
        self._of(EXAMPLE_COUNT_TOTAL, model).inc(examples)

    def warmed_up(self, path: str, status: str, seconds: float) -> None:
        """Notes one warm-up."""
        self._of(WARM_UP_LATENCY, path, status).observe(int(seconds * 1e6))

    def loaded(self, path: str, status: str, seconds: float) -> None:
        """Notes one attempt to load a version; TensorFlow tells success or fail."""
        told = "success" if status == "OK" else "fail"
        self._of(LOAD_ATTEMPTS, path, told).inc()
        self._of(LOAD_LATENCY, path).inc(int(seconds * 1e6))

    def queued(self, pool: str, seconds: list[float]) -> None:
        """Notes one run of a batch, and how long its requests had waited."""
        self._of(WRAPPED_RUNS).inc()
        for waited in seconds:
            self._of(QUEUING_LATENCY, pool).observe(int(waited * 1e6))

    def text(self) -> bytes:
        """The exposition; counters keep TF Serving's names, without `_total`."""
        lines = generate_latest(self._registry).decode().splitlines(keepends=True)
        return "".join(map(_as_tf_serving, filter(_is_told, lines))).encode()

    def _of(self, name: str, *labels: str) -> Any:
        key = (name, *labels)
        found = self._children.get(key)
        if found is None:
            metric = self._metrics[name]
            found = self._children[key] = metric.labels(*labels) if labels else metric
        return found


def _metric(name: str, kind: _Kind, registry: CollectorRegistry) -> Any:
    if kind.bounds:
        return Histogram(
            name, kind.text, kind.labels, registry=registry, buckets=kind.bounds
        )
    return Gauge(name, kind.text, kind.labels, registry=registry)


def _is_told(line: str) -> bool:
    """The library's own `_created` gauges are none of TF Serving's."""
    name = line.split(" ")[2] if line.startswith("#") else line.partition("{")[0]
    return not name.endswith("_created")


def _as_tf_serving(line: str) -> str:
    if line.startswith("# TYPE ") and line.endswith(" gauge\n"):
        return line.removesuffix("gauge\n") + "counter\n"
    return line
