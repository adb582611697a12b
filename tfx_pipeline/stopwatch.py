"""Wall time and peak memory of each component, read from TFX's own log lines."""

from __future__ import annotations

import dataclasses
import json
import logging
import resource
import time
from collections.abc import Callable
from pathlib import Path

_RUNNING = "Component %s is running."
_FINISHED = "Component %s is finished."
_CACHED = "A cached execution %d is used."


@dataclasses.dataclass(frozen=True)
class Timing:
    """One component's share of a run; `peak_mb` is the process's, while it ran."""

    component: str
    wall_s: float
    peak_mb: float
    cached: bool


class Stopwatch(logging.Handler):
    """Listens to the local runner, which has no other way to be watched.

    Args:
      started: called with a component's name.
      finished: called with its timing.
    """

    def __init__(
        self, started: Callable[[str], None], finished: Callable[[Timing], None]
    ) -> None:
        super().__init__(logging.INFO)
        self.timings: list[Timing] = []
        self.running: str | None = None
        self._started, self._finished = started, finished
        self._since, self._cached = 0.0, False

    def emit(self, record: logging.LogRecord) -> None:
        """Starts and stops the clock."""
        if record.msg == _RUNNING and isinstance(record.args, tuple):
            self.running = str(record.args[0])
            self._since, self._cached = time.monotonic(), False
            _forget_peak()
            self._started(self.running)
        elif record.msg == _CACHED:
            self._cached = True
        elif record.msg == _FINISHED and self.running is not None:
            wall_s = round(time.monotonic() - self._since, 2)
            timing = Timing(self.running, wall_s, peak_mb(), self._cached)
            self.timings.append(timing)
            self.running = None
            self._finished(timing)

    def write(self, path: Path) -> None:
        """Writes the timings as JSON."""
        content = [dataclasses.asdict(timing) for timing in self.timings]
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def peak_mb() -> float:
    """The process's peak resident memory since `_forget_peak`, or since its start."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 1024, 1)
    except (OSError, StopIteration):
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _forget_peak() -> None:
    """Linux counts the peak anew after a 5; elsewhere the peak only grows."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return
