"""HTTP connections that nobody can hold open by saying nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


def patient_protocol(patience_s: float) -> type[H11Protocol]:
    """A protocol for which a peer has so many seconds to go on.

    uvicorn itself closes a kept connection that is idle, but waits without end for the
    first request, for the rest of a head, and for a peer that does not read.
    """

    class Patient(H11Protocol):
        _head: asyncio.TimerHandle | None = None
        _reading: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait_for_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._wait_for_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head = _cancelled(self._head)
            self._reading = _cancelled(self._reading)
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._reading = self.loop.call_later(patience_s, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            self._reading = _cancelled(self._reading)

        def _wait_for_head(self) -> None:
            if self.cycle and not self.cycle.response_complete:
                self._head = _cancelled(self._head)
            elif self._head is None:
                self._head = self.loop.call_later(patience_s, self.transport.close)

    return Patient


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """What takes the timer's place: nothing."""
    if timer:
        timer.cancel()
    return None
