"""How long calls take, how many are answered a second, and how many are refused."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc

Call = Callable[[], Any]
_WARM_CALLS: Final = 5


@dataclasses.dataclass(frozen=True)
class Latency:
    """Seconds at three percentiles, and calls a second; both of answered calls.

    Args:
      count: of the answered calls.
      p50_s: half of them took at most this long.
      p95_s: 95 of 100 did.
      p99_s: 99 of 100 did.
      per_second: answered calls.
      refused: calls that ended with another status, by its name.
    """

    count: int
    p50_s: float
    p95_s: float
    p99_s: float
    per_second: float
    refused: dict[str, int] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        p50, p95, p99 = (x * 1000 for x in (self.p50_s, self.p95_s, self.p99_s))
        told = "".join(f"  {name} x {n}" for name, n in self.refused.items())
        return f"{p50:9.3f} {p95:9.3f} {p99:9.3f} {self.per_second:9.1f}{told}"

    def to_json(self) -> dict[str, Any]:
        """Milliseconds."""
        return {
            "count": self.count,
            "p50_ms": round(self.p50_s * 1000, 3),
            "p95_ms": round(self.p95_s * 1000, 3),
            "p99_ms": round(self.p99_s * 1000, 3),
            "per_second": round(self.per_second, 1),
            **({"refused": self.refused} if self.refused else {}),
        }


@dataclasses.dataclass
class Tally:
    """What one group of clients met: seconds of answered calls, and refusals.

    Args:
      took: seconds of each answered call.
      refused: calls that ended with another status, by its name.
      lasted: seconds of its turns, each to the end of its last call.
    """

    took: list[float] = dataclasses.field(default_factory=list)
    refused: Counter[str] = dataclasses.field(default_factory=Counter)
    lasted: float = 0.0

    def add(self, other: Tally) -> None:
        """Takes in what another one holds."""
        self.took += other.took
        self.refused += other.refused

    def latency(self) -> Latency:
        """Its figures."""
        return summary(self.took, self.lasted, self.refused)


def measure(
    groups: Sequence[Sequence[Call]], seconds: float, turns: int = 1
) -> list[Latency]:
    """The figures of groups of clients that take turns on the same machine.

    Args:
      groups: of clients, one call for each; each client calls from a thread of its own.
      seconds: for each group, all its turns together; no call begins later.
      turns: of each group; more of them spread a disturbance over all groups.
    """
    tallies = [Tally() for _ in groups]
    for calls in groups:
        for _ in range(_WARM_CALLS):
            _once(calls[0], Tally())
    for _ in range(turns):
        for calls, tally in zip(groups, tallies, strict=True):
            begun = time.perf_counter()
            with ThreadPoolExecutor(len(calls)) as pool:
                asked = [pool.submit(_ask, call, seconds / turns) for call in calls]
            tally.lasted += time.perf_counter() - begun
            for future in asked:
                tally.add(future.result())  # raises what is no refusal
    return [tally.latency() for tally in tallies]


def side_by_side(first: Call, second: Call, seconds: float) -> tuple[Latency, Latency]:
    """Two calls in turn until the time is over, so that both meet the same machine."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(_WARM_CALLS):
        first(), second()
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        for call, own in zip((first, second), took, strict=True):
            begun = time.perf_counter()
            call()
            own.append(time.perf_counter() - begun)
    one, other = (summary(own, sum(own)) for own in took)
    return one, other


def summary(
    values: Sequence[float], seconds: float, refused: Counter[str] | None = None
) -> Latency:
    """Percentiles of latencies gathered within some seconds; zeros for none at all."""
    ordered = sorted(values) or [0.0]
    last = len(ordered) - 1
    p50, p95, p99 = (ordered[round(share * last)] for share in (0.5, 0.95, 0.99))
    count = len(values)
    return Latency(count, p50, p95, p99, count / seconds, dict(refused or {}))


def _ask(call: Call, seconds: float) -> Tally:
    """One client: calls without a pause until the time is over."""
    tally = Tally()
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        _once(call, tally)
    return tally


def _once(call: Call, tally: Tally) -> None:
    begun = time.perf_counter()
    try:
        call()
    except grpc.RpcError as error:
        tally.refused[error.code().name] += 1
    else:
        tally.took.append(time.perf_counter() - begun)
