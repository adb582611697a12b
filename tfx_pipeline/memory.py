"""How much memory this process took at its peak."""

from __future__ import annotations

import resource
from pathlib import Path


def peak_mb() -> float:
    """The peak resident memory since `forget_peak`, or since the process started."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 1024, 1)
    except (OSError, StopIteration):
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def forget_peak() -> None:
    """Lets Linux count the peak anew; elsewhere the peak only grows."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return
