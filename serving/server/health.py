"""grpc.health.v1 under TF Serving's short service names.

Unlike TF Serving, which is SERVING from start to end, the answer says whether every
model has a version that is ready.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.server.status import Code
from serving.server.store import ModelStore

NAMES: Final = ("", "ModelService", "PredictionService")
_WATCH_PAUSE_S: Final = 0.2


class Health(health_pb2_grpc.HealthServicer):
    """Answers for the store."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def Check(self, request: Any, context: Any) -> Any:
        """The state of one service name; the fully qualified ones are unknown."""
        if request.service not in NAMES:
            context.abort(Code.NOT_FOUND, "service name unknown")
        return self._reply(request.service)

    def Watch(self, request: Any, context: Any) -> Iterator[Any]:
        """The state now and after every change."""
        previous = None
        while context.is_active():
            reply = self._reply(request.service)
            if reply.status != previous:
                previous = reply.status
                yield reply
            time.sleep(_WATCH_PAUSE_S)

    def _reply(self, service: str) -> Any:
        state = health_pb2.HealthCheckResponse
        if service not in NAMES:
            return state(status=state.SERVICE_UNKNOWN)
        ready = self._store.all_ready()
        return state(status=state.SERVING if ready else state.NOT_SERVING)
