"""Keeps the screen for the user: logs and native output go to a file."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"


@contextlib.contextmanager
def logs_in(file: Path) -> Iterator[TextIO]:
    """Sends all logging and native output to `file` while the block runs.

    Python's standard error stays the terminal, for progress bars.

    Yields:
      The terminal.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    root = logging.getLogger()
    handlers, level, stderr = list(root.handlers), root.level, sys.stderr
    terminal = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8")
    with file.open("a", encoding="utf-8") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        handler = logging.StreamHandler(log)
        handler.setFormatter(logging.Formatter(_FORMAT))
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        sys.stderr = terminal
        try:
            yield terminal
        finally:
            sys.stderr = stderr
            sys.stdout.flush()
            root.handlers[:] = handlers
            root.setLevel(level)
            for number, copy in enumerate(saved, start=1):
                os.dup2(copy, number)
                os.close(copy)
            terminal.close()
