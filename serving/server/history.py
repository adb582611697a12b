"""What ever became of every version: the answer to GetModelStatus."""

from __future__ import annotations

import dataclasses
import enum
import threading
from collections.abc import Callable, Mapping

from serving.server.status import Code


class State(enum.IntEnum):
    """States of a version; the numbers are the wire's."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclasses.dataclass(frozen=True)
class Entry:
    """A version's state, and its health: the error of a failed load."""

    state: State
    code: Code = Code.OK
    message: str = ""


class History:
    """The latest entry of every version of every model since the start.

    >>> history = History()
    >>> history.record("uvcan", 3, Entry(State.LOADING))
    >>> history.of("uvcan")
    {3: Entry(state=<State.LOADING: 20>, code=<StatusCode.OK: (0, 'ok')>, message='')}
    """

    def __init__(self) -> None:
        self._entries: dict[str, dict[int, Entry]] = {}
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls it after every change from now on."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """Calls the listeners."""
        for listener in self._listeners:
            listener()

    def record(self, name: str, version: int, entry: Entry) -> None:
        """Notes what became of a version."""
        with self._lock:
            self._entries.setdefault(name, {})[version] = entry
        self.tell()

    def restore(self, name: str, entries: Mapping[int, Entry]) -> None:
        """Takes a model's entries back to what they were."""
        with self._lock:
            self._entries[name] = dict(entries)
        self.tell()

    def of(self, name: str) -> Mapping[int, Entry]:
        """Entries of a model by version; empty when it was never heard of."""
        with self._lock:
            return dict(self._entries.get(name, {}))
