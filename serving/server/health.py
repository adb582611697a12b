"""grpc.health.v1 under TF Serving's short service names.

Unlike TF Serving, which is SERVING from start to end, the answer says whether every
model has a version that is ready, and whether the server is going to stop.

The servicer of `grpc_health` is not used: it holds one lock while it sends a state to
those who watch, and takes the same lock on gRPC's own thread when one of them hangs
up. Sending waits for that thread, so a state that changes in that moment would stop
the whole server for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.server.status import Code
from serving.server.store import ModelStore

NAMES: Final = ("", "ModelService", "PredictionService")

_STATES: Final = health_pb2.HealthCheckResponse
_Send = Callable[[Any], None]


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # has no types
    """Answers for the store; a Watch holds no thread between two changes."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._stopping = False
        self._state = _STATES.NOT_SERVING
        self._telling = threading.Lock()  # one change after another
        self._hearing = threading.Lock()  # never held while something is sent
        self._watchers: set[_Send] = set()
        store.listen(self._tell)
        self._tell()

    def Check(self, request: Any, context: Any) -> Any:
        """The state of one service name; the fully qualified ones are unknown."""
        if request.service not in NAMES:
            context.abort(Code.NOT_FOUND, "service name unknown")
        return _STATES(status=self._state)

    def Watch(self, request: Any, context: Any, send_response_callback: _Send) -> None:
        """Sends the state now, and again whenever it changes."""
        if request.service not in NAMES:
            send_response_callback(_STATES(status=_STATES.SERVICE_UNKNOWN))
            return
        with self._telling:
            with self._hearing:
                self._watchers.add(send_response_callback)
            if not context.add_callback(lambda: self._forget(send_response_callback)):
                self._forget(send_response_callback)
            send_response_callback(_STATES(status=self._state))

    Watch.experimental_non_blocking = True  # type: ignore[attr-defined]  # gRPC asks

    def stop(self) -> None:
        """Says from now on that the server does not serve."""
        self._stopping = True
        self._tell()

    def _forget(self, send: _Send) -> None:
        """Runs on the thread that every send waits for: it waits for none."""
        with self._hearing:
            self._watchers.discard(send)

    def _tell(self) -> None:
        with self._telling:
            serves = not self._stopping and self._store.all_ready()
            state = _STATES.SERVING if serves else _STATES.NOT_SERVING
            if state == self._state:
                return
            self._state = state
            with self._hearing:
                watchers = tuple(self._watchers)
            for send in watchers:
                send(_STATES(status=state))
