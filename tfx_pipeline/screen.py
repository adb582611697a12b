"""Keeps the screen for the user: logs and native output go to a file."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"


class _Handler(logging.Handler):
    """Writes each record to a file; what a full disk refuses is lost, and no more."""

    def __init__(self, log: TextIO) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            self._log.write(f"{self.format(record)}\n")


@contextlib.contextmanager
def logs_in(file: Path) -> Iterator[TextIO]:
    """Sends all logging and native output to `file` while the block runs.

    Python's standard error stays the terminal, for progress bars. Nothing is buffered:
    what a full disk refuses is not tried again on the terminal.

    Yields:
      The terminal.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stdout, stderr = sys.stdout, sys.stderr
    terminal = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8")
    with io.TextIOWrapper(io.FileIO(file, "a"), "utf-8", write_through=True) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        handler = _Handler(log)
        handler.setFormatter(logging.Formatter(_FORMAT))
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        sys.stdout, sys.stderr = log, terminal
        try:
            yield terminal
        finally:
            sys.stdout, sys.stderr = stdout, stderr
            root.handlers[:] = handlers
            root.setLevel(level)
            for number, copy in enumerate(saved, start=1):
                os.dup2(copy, number)
                os.close(copy)
            terminal.close()
