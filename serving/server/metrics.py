"""Counters and latencies under TF Serving's names, for Prometheus."""

from __future__ import annotations

import bisect
import dataclasses
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import HistogramMetricFamily, Metric

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


class _Histogram:
    """Counts by bucket, and the sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0


class Metrics:
    """What was asked, and how long the answers took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, dict[tuple[str, ...], Any]] = {n: {} for n in _KINDS}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def answered(
        self, model: str, by: tuple[str, str], status: str, seconds: float
    ) -> None:
        """Notes one call of (API, entry point); latencies are those of successes."""
        with self._lock:
            self._add(REQUEST_COUNT, (model, status), 1)
            if status == "OK":
                self._observe(REQUEST_LATENCY, (model, *by), int(seconds * 1e6))

    def ran(self, model: str, call: str, seconds: float) -> None:
        """Notes one run of a graph."""
        with self._lock:
            self._observe(RUNTIME_LATENCY, (model, call, _RUNTIME), int(seconds * 1e6))

    def counted(self, model: str, examples: int) -> None:
        """Notes the examples of one request."""
        with self._lock:
            self._observe(EXAMPLE_COUNTS, (model,), examples)
            self._add(EXAMPLE_COUNT_TOTAL, (model,), examples)

    def warmed_up(self, path: str, status: str, seconds: float) -> None:
        """Notes one warm-up."""
        with self._lock:
            self._observe(WARM_UP_LATENCY, (path, status), int(seconds * 1e6))

    def loaded(self, path: str, status: str, seconds: float) -> None:
        """Notes one attempt to load a version."""
        with self._lock:
            self._add(LOAD_ATTEMPTS, (path, status), 1)
            self._add(LOAD_LATENCY, (path,), int(seconds * 1e6))

    def queued(self, pool: str, seconds: list[float]) -> None:
        """Notes one run of a batch, and how long its requests had waited."""
        with self._lock:
            self._add(WRAPPED_RUNS, (), 1)
            for waited in seconds:
                self._observe(QUEUING_LATENCY, (pool,), int(waited * 1e6))

    def text(self) -> bytes:
        """The exposition; counters keep TF Serving's names, without `_total`."""
        content = bytes(generate_latest(self._registry))
        for name, kind in _KINDS.items():
            if not kind.bounds:
                gauge, counter = (
                    f"# TYPE {name} {word}\n".encode() for word in ("gauge", "counter")
                )
                content = content.replace(gauge, counter)
        return content

    def collect(self) -> Iterator[Any]:
        """What the registry asks for."""
        with self._lock:
            yield from [self._family(name, kind) for name, kind in _KINDS.items()]

    def _add(self, name: str, labels: tuple[str, ...], value: float) -> None:
        values = self._values[name]
        values[labels] = values.get(labels, 0) + value

    def _observe(self, name: str, labels: tuple[str, ...], value: float) -> None:
        values, bounds = self._values[name], _KINDS[name].bounds
        histogram = values.get(labels)
        if histogram is None:
            histogram = values[labels] = _Histogram(bounds)
        histogram.counts[bisect.bisect_left(bounds, value)] += 1
        histogram.sum += value

    def _family(self, name: str, kind: _Kind) -> Any:
        values = self._values[name]
        if not kind.bounds:
            family = Metric(name, kind.text, "gauge")
            for labels, value in values.items():
                named = dict(zip(kind.labels, labels, strict=True))
                family.add_sample(name, named, value)
            return family
        family = HistogramMetricFamily(name, kind.text, labels=kind.labels)
        for labels, histogram in values.items():
            family.add_metric(
                labels, _cumulated(kind.bounds, histogram.counts), histogram.sum
            )
        return family


def _cumulated(bounds: tuple[float, ...], counts: list[int]) -> list[tuple[str, float]]:
    total = 0
    rows: list[tuple[str, float]] = []
    for bound, count in zip((*bounds, float("inf")), counts, strict=True):
        total += count
        rows.append(("+Inf" if bound == float("inf") else repr(bound), total))
    return rows
