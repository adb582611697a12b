"""TensorFlow Serving's BatchingParameters, checked."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any, Final

from serving.server.files import read_batching
from serving.server.status import invalid_argument

PER_MODEL_FILE: Final = "batching_params.pbtxt"


@dataclasses.dataclass(frozen=True)
class Parameters:
    """How requests are joined; names and defaults are TensorFlow Serving's.

    Args:
      max_batch_size: rows of one request, and of a batch unless it is split.
      batch_timeout_s: how long the first request of a batch waits for others.
      max_enqueued_batches: of one signature; a request beyond them is UNAVAILABLE.
      num_batch_threads: batches that run at once, of all models together.
      allowed_batch_sizes: batches are padded to the next of them.
      pad: lengthen inputs of different lengths instead of refusing them.
      max_execution_batch_size: rows of a batch where larger requests are split.
      thread_pool_name: a label of the metrics.
    """

    max_batch_size: int = 1000
    batch_timeout_s: float = 0.0
    max_enqueued_batches: int = 10
    num_batch_threads: int = dataclasses.field(
        default_factory=lambda: os.cpu_count() or 1
    )
    allowed_batch_sizes: tuple[int, ...] = ()
    pad: bool = False
    max_execution_batch_size: int | None = None
    thread_pool_name: str = "model_server_batch_threads"

    def __post_init__(self) -> None:
        for name in ("num_batch_threads", "max_enqueued_batches"):
            if getattr(self, name) < 1:
                raise invalid_argument(
                    f"{name} must be positive; was {getattr(self, name)}"
                )
        if self.max_batch_size < 1:
            raise invalid_argument(
                f"input_batch_size_limit must be positive; was {self.max_batch_size}"
            )
        if self.batch_timeout_s < 0:
            raise invalid_argument(
                "batch_timeout_micros must be non-negative; was "
                f"{round(self.batch_timeout_s * 1e6)}"
            )
        self._check_sizes()

    @property
    def execution_limit(self) -> int:
        """Rows of a batch."""
        return self.max_execution_batch_size or self.max_batch_size

    def allowed(self, size: int) -> int:
        """The size that a batch is padded to."""
        enough = (allowed for allowed in self.allowed_batch_sizes if allowed >= size)
        return next(enough, size)

    def _check_sizes(self) -> None:
        limit = self.execution_limit
        if limit > self.max_batch_size:
            raise invalid_argument(
                "When enable_large_batch_splitting is true, input_batch_size_limit "
                "must be greater than or equal to max_execution_batch_size."
            )
        sizes = self.allowed_batch_sizes
        if any(b <= a for a, b in zip(sizes, sizes[1:], strict=False)):
            raise invalid_argument(
                "allowed_batch_sizes entries must be monotonically increasing"
            )
        if sizes and sizes[-1] != limit:
            name = "max_batch_size"
            if self.max_execution_batch_size:
                name = "max_execution_batch_size"
            raise invalid_argument(
                f"Last entry in allowed_batch_sizes must match {name}; last entry was "
                f"{sizes[-1]}; expected {limit}"
            )


def read_parameters(path: Path) -> Parameters:
    """Reads a text BatchingParameters; what it leaves out has its default."""
    message = read_batching(path)
    given: dict[str, Any] = {}
    for name in (
        *("max_batch_size", "max_enqueued_batches", "num_batch_threads"),
        "thread_pool_name",
    ):
        if message.HasField(name):
            given[name] = getattr(message, name).value
    if message.HasField("batch_timeout_micros"):
        given["batch_timeout_s"] = message.batch_timeout_micros.value / 1e6
    if message.enable_large_batch_splitting.value:
        size = message.max_execution_batch_size.value
        given["max_execution_batch_size"] = size or None
    return Parameters(
        allowed_batch_sizes=tuple(message.allowed_batch_sizes),
        pad=message.pad_variable_length_inputs,
        **given,
    )
