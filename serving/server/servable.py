"""A version that is ready, and the promise that nobody frees it while in use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from serving.wire import tensors
from serving.wire.protos import meta_graph_pb2

CALLS_END_S: Final = 600.0  # that an unloading version waits for its calls
_LOG = logging.getLogger(__name__)


class Model(Protocol):
    """Whatever runs the signatures of one version."""

    signatures: Mapping[str, meta_graph_pb2.SignatureDef]

    def run(
        self,
        feeds: Mapping[str, tensors.Array],
        fetches: Sequence[str],
        timeout_s: float | None = None,
    ) -> list[tensors.Array]:
        """Values of the fetched tensors for the fed ones, all by tensor name."""
        ...

    def close(self) -> None:
        """Frees it; calls after it fail."""
        ...


class Servable:
    """One ready version of a model."""

    def __init__(self, name: str, version: int, model: Model) -> None:
        self.name = name
        self.version = version
        self.model = model
        self.plans: dict[str, Any] = {}  # what `predict` works out of signatures
        self._users = 0
        self._closing = False
        self._idle = threading.Condition()

    @contextmanager
    def use(self) -> Iterator[bool]:
        """Keeps the version loaded within the block; False when it is going away."""
        with self._idle:
            taken = not self._closing
            self._users += taken
        try:
            yield taken
        finally:
            if taken:
                with self._idle:
                    self._users -= 1
                    if self._closing:
                        self._idle.notify_all()

    def close(self) -> None:
        """Lets the calls in progress end, then frees the model."""
        with self._idle:
            self._closing = True
            if not self._idle.wait_for(lambda: self._users == 0, CALLS_END_S):
                _LOG.error(
                    "Version %d of model %s is unloaded although %d calls are open.",
                    *(self.version, self.name, self._users),
                )
        self.model.close()
