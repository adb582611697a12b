"""grpc.health.v1 under TF Serving's short service names.

Unlike TF Serving, which is SERVING from start to end, the answer says whether every
model has a version that is ready, and whether the server is going to stop.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from grpc_health.v1 import health, health_pb2

from serving.server.status import Code
from serving.server.store import ModelStore

NAMES: Final = ("", "ModelService", "PredictionService")


class Health(health.HealthServicer):  # type: ignore[misc]  # has no types
    """Answers for the store; a Watch holds no thread between two changes."""

    def __init__(self, store: ModelStore) -> None:
        super().__init__(experimental_non_blocking=True)
        self._store = store
        self._telling = threading.Lock()
        self._told: Any = None
        store.listen(self._tell)
        self._tell()

    def Check(self, request: Any, context: Any) -> Any:
        """The state of one service name; the fully qualified ones are unknown."""
        if request.service not in NAMES:
            context.abort(Code.NOT_FOUND, "service name unknown")
        return super().Check(request, context)

    def _tell(self) -> None:
        states = health_pb2.HealthCheckResponse
        with self._telling:
            ready = self._store.all_ready()
            state = states.SERVING if ready else states.NOT_SERVING
            if state == self._told:
                return
            self._told = state
            for name in NAMES:
                self.set(name, state)
