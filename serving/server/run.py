"""One inference in progress: which version, until when, and what is measured."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence

from serving.server.metrics import Metrics
from serving.server.servable import Servable
from serving.wire import tensors


@dataclasses.dataclass(frozen=True)
class Run:
    """A servable taken by a call.

    Args:
      servable: the version that answers.
      call: the method's name; the runtime's latency is told under it.
      metrics: where figures go; nowhere when None.
      timeout_s: the seconds left.
      check_method: refuse signatures of another method's kind.
    """

    servable: Servable
    call: str = ""
    metrics: Metrics | None = None
    timeout_s: float | None = None
    check_method: bool = False

    def fetch(
        self, feeds: Mapping[str, tensors.Array], fetches: Sequence[str]
    ) -> list[tensors.Array]:
        """Runs the graph; see `Model.run`."""
        begun = time.perf_counter()
        values = self.servable.model.run(feeds, fetches, self.timeout_s)
        if self.metrics:
            took = time.perf_counter() - begun
            self.metrics.ran(self.servable.name, self.call, took)
        return values

    def count_examples(self, count: int) -> None:
        """Notes how many examples a request holds."""
        if self.metrics:
            self.metrics.counted(self.servable.name, count)
