"""What memory a process of this machine holds, as Linux tells it."""

from __future__ import annotations

import re
from pathlib import Path


class ProcessMemory:
    """Looks at one process.

    Args:
      number: of the process.

    Raises:
      OSError: there is no such process, it holds no memory, or it is another user's.
    """

    def __init__(self, number: int) -> None:
        self._folder = Path(f"/proc/{number}")
        self.forget_peak()
        self.mebibytes()

    def forget_peak(self) -> None:
        """The peak begins anew."""
        (self._folder / "clear_refs").write_text("5")

    def mebibytes(self) -> int:
        """Held now."""
        return self._told("VmRSS")

    def peak_mebibytes(self) -> int:
        """The most since `forget_peak`."""
        return self._told("VmHWM")

    def _told(self, what: str) -> int:
        status = (self._folder / "status").read_text()
        found = re.search(rf"^{what}:\s+(\d+) kB$", status, re.M)
        if found is None:
            raise OSError(f"{self._folder} tells of no memory")
        return round(int(found[1]) / 1024)
