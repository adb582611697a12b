"""One progress line with an estimate of the time left, on a terminal or in a log."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Progress(Protocol):
    """What long work reports to."""

    def advance(self, steps: float = 1) -> None:
        """So many more steps are done."""
        ...


class Silent:
    """Reports to nobody."""

    def advance(self, steps: float = 1) -> None:
        """Does nothing."""


@contextlib.contextmanager
def progress(label: str, total: float) -> Iterator[Progress]:
    """A bar on standard error while the block runs; gone when it ends."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import (
        Progress as Bar,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        yield _Rich(bar, bar.add_task(label, total=total))


class _Rich:
    def __init__(self, bar: object, task: object) -> None:
        self._bar, self._task = bar, task

    def advance(self, steps: float = 1) -> None:
        self._bar.advance(self._task, steps)  # type: ignore[attr-defined]
