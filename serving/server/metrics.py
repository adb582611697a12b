"""Counters and latencies under TF Serving's names, for Prometheus."""

from __future__ import annotations

import bisect
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import HistogramMetricFamily, Metric

_PREFIX: Final = ":tensorflow:serving:"
REQUEST_COUNT: Final = f"{_PREFIX}request_count"
REQUEST_LATENCY: Final = f"{_PREFIX}request_latency"
DEFAULT_PATH: Final = "/monitoring/prometheus/metrics"
_BOUNDS: Final = tuple(10 * 1.8**power for power in range(33))  # microseconds


class Metrics:
    """What was asked, and how long the answers took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._buckets: dict[tuple[str, str, str], list[int]] = {}
        self._sums: Counter[tuple[str, str, str]] = Counter()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def record(
        self, model: str, call: str, entrypoint: str, status: str, seconds: float
    ) -> None:
        """Notes one call; latencies are those of successes only."""
        micros = int(seconds * 1e6)
        key = (model, call, entrypoint)
        with self._lock:
            self._counts[model, status] += 1
            if status == "OK":
                fresh = [0] * (len(_BOUNDS) + 1)
                buckets = self._buckets.setdefault(key, fresh)
                buckets[bisect.bisect_left(_BOUNDS, micros)] += 1
                self._sums[key] += micros

    def text(self) -> bytes:
        """The exposition; the counter keeps TF Serving's name, without `_total`."""
        content = bytes(generate_latest(self._registry))
        return content.replace(
            f"# TYPE {REQUEST_COUNT} gauge".encode(),
            f"# TYPE {REQUEST_COUNT} counter".encode(),
        )

    def collect(self) -> Iterator[Any]:
        """What the registry asks for."""
        with self._lock:
            counts = Metric(REQUEST_COUNT, "The total number of requests.", "gauge")
            for (model, status), count in self._counts.items():
                labels = {"model_name": model, "status": status}
                counts.add_sample(REQUEST_COUNT, labels, count)
            latency = HistogramMetricFamily(
                REQUEST_LATENCY,
                "Distribution of wall time (in microseconds) of a request.",
                labels=("model_name", "API", "entrypoint"),
            )
            for key, buckets in self._buckets.items():
                latency.add_metric(key, _cumulated(buckets), self._sums[key])
        yield counts
        yield latency


def _cumulated(buckets: list[int]) -> list[tuple[str, float]]:
    total = 0
    rows: list[tuple[str, float]] = []
    for bound, count in zip((*_BOUNDS, float("inf")), buckets, strict=True):
        total += count
        rows.append(("+Inf" if bound == float("inf") else repr(bound), total))
    return rows
