"""Progress lines with an estimate of the time left, on a terminal."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any, Final, Protocol


class Progress(Protocol):
    """What long work reports to."""

    def advance(self, steps: float = 1) -> None:
        """So many more steps are done."""
        ...


class Silent:
    """Reports to nobody."""

    def advance(self, steps: float = 1) -> None:
        """Does nothing."""


#: The bars that are on the screen: rich draws one live display, so inner work adds its
#: line to that of the outer.
_SHOWN: Final[contextvars.ContextVar[Any]] = contextvars.ContextVar(
    "bars", default=None
)


@contextlib.contextmanager
def progress(label: str, total: float) -> Iterator[Progress]:
    """A bar on a terminal's standard error while the block runs; gone when it ends."""
    outer = _SHOWN.get()
    if outer is not None:
        task = outer.add_task(label, total=total)
        try:
            yield _Rich(outer, task)
        finally:
            outer.remove_task(task)
        return
    bars = _bars()
    if not bars.console.is_terminal:  # a log would get an empty line of each bar
        yield Silent()
        return
    with bars:
        token = _SHOWN.set(bars)
        try:
            yield _Rich(bars, bars.add_task(label, total=total))
        finally:
            _SHOWN.reset(token)


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


class _Rich:
    def __init__(self, bars: Any, task: Any) -> None:
        self._bars, self._task = bars, task

    def advance(self, steps: float = 1) -> None:
        self._bars.advance(self._task, steps)
