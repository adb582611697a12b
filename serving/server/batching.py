"""Requests of several callers joined into one run, as TensorFlow Serving joins them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError
from typing import Final

from serving.server.joining import Task, join, size_of, split
from serving.server.metrics import Metrics
from serving.server.parameters import Parameters
from serving.server.queueing import Batch, Queue, Scheduler
from serving.server.servable import Model
from serving.server.status import Code, StatusError, invalid_argument
from serving.wire import tensors

_QUEUES: Final = 256  # of one version; beyond them, those without batches go
_Names = tuple[frozenset[str], tuple[str, ...]]  # of inputs, of outputs


class BatchedModel:
    """A model whose runs wait for others of the same inputs and outputs.

    Every run is joined, also one of some outputs only and one of several
    signatures at once, so every input needs the batch as its first dimension.
    """

    def __init__(
        self,
        model: Model,
        scheduler: Scheduler,
        parameters: Parameters,
        metrics: Metrics,
    ) -> None:
        self.signatures = model.signatures
        self._model = model
        self._scheduler = scheduler
        self._parameters = parameters
        self._metrics = metrics
        self._queues: dict[_Names, Queue] = {}
        self._finding = threading.Lock()

    def run(
        self,
        feeds: Mapping[str, tensors.Array],
        fetches: Sequence[str],
        timeout_s: float | None = None,
    ) -> list[tensors.Array]:
        """As the model's own, after some waiting.

        Raises:
          StatusError: what cannot be joined; a full queue; too long a wait.
        """
        size = size_of(feeds)
        if size > self._parameters.max_batch_size:
            raise invalid_argument(
                f"Task size {size} is larger than maximum input batch size "
                f"{self._parameters.max_batch_size}"
            )
        ends = None if timeout_s is None else time.monotonic() + timeout_s
        parts = split(feeds, size, self._parameters.execution_limit)
        tasks = [Task(part, count, time.monotonic(), ends) for part, count in parts]
        names = (frozenset(feeds), tuple(sorted(set(fetches))))
        with self._finding:
            queue = self._queue(names)
            for task in tasks:
                self._scheduler.put(queue, task)
        found = [_result(task) for task in tasks]
        return [
            found[0][name]
            if len(found) == 1
            else tensors.joined([part[name] for part in found])
            for name in fetches
        ]

    def close(self) -> None:
        """Frees the model."""
        self._model.close()

    def _queue(self, names: _Names) -> Queue:
        if len(self._queues) >= _QUEUES and names not in self._queues:
            waiting = {n: q for n, q in self._queues.items() if q.batches}
            self._queues = waiting
        if names not in self._queues:
            self._queues[names] = Queue(self._parameters, self._processor(names[1]))
        return self._queues[names]

    def _processor(self, fetches: Sequence[str]) -> Callable[[Batch], None]:
        def process(batch: Batch) -> None:
            replies = self._run_batch(batch, fetches)
            for task, reply in zip(batch.tasks, replies, strict=True):
                task.reply.set_result(reply)

        return process

    def _run_batch(
        self, batch: Batch, fetches: Sequence[str]
    ) -> list[dict[str, tensors.Array]]:
        now = time.monotonic()
        waited = [now - task.begun for task in batch.tasks]
        self._metrics.queued(self._parameters.thread_pool_name, waited)
        ends = [float("inf") if t.ends is None else t.ends for t in batch.tasks]
        if max(ends) <= now:
            raise _waited_too_long()
        padded = self._parameters.allowed(batch.size)
        feeds = join(batch.tasks, padded - batch.size, self._parameters.pad)
        left = None if max(ends) == float("inf") else max(ends) - now
        values = self._model.run(feeds, fetches, left)
        replies: list[dict[str, tensors.Array]] = [{} for _ in batch.tasks]
        for name, value in zip(fetches, values, strict=True):
            _check_output(value, padded)
            at = 0
            for task, reply in zip(batch.tasks, replies, strict=True):
                reply[name] = value[at : at + task.size]
                at += task.size
        return replies


def _result(task: Task) -> dict[str, tensors.Array]:
    """What the batch gave this task, within the time that its caller waits."""
    left = None if task.ends is None else max(task.ends - time.monotonic(), 0.0)
    try:
        return task.reply.result(left)
    except TimeoutError:
        if task.reply.cancel():  # no thread has taken it
            raise _waited_too_long() from None
        raise StatusError(Code.DEADLINE_EXCEEDED, "Deadline Exceeded") from None


def _waited_too_long() -> StatusError:
    return StatusError(
        Code.RESOURCE_EXHAUSTED,
        "Run() timeout exceeded while waiting in batching queue",
    )


def _check_output(value: tensors.Array, size: int) -> None:
    if not value.ndim:
        raise StatusError(
            Code.FAILED_PRECONDITION, "Batched output tensor has 0 dimensions"
        )
    if len(value) != size:
        raise StatusError(
            Code.FAILED_PRECONDITION,
            "Batched output tensor's 0th dimension does not equal the sum of the 0th "
            "dimension sizes of the input tensors",
        )
