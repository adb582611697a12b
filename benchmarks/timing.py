"""Clocks: the median of several calls, after one that compiles and warms up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

Work = Callable[[], Any]


def seconds(work: Work, repeats: int = 7) -> float:
    """Median wall time of a call."""
    return statistics.median(each(work, repeats))


def each(work: Work, repeats: int) -> list[float]:
    """Wall times of calls after the first."""
    work()
    return [once(work) for _ in range(repeats)]


def once(work: Work) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
