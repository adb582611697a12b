"""Requests of several callers joined into one run, as TensorFlow Serving joins them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from serving.server.joining import Task, join, size_of, split
from serving.server.metrics import Metrics
from serving.server.parameters import Parameters
from serving.server.queueing import Batch, Queue, Scheduler
from serving.server.servable import Model
from serving.server.status import Code, StatusError, invalid_argument
from serving.wire import tensors


class BatchedModel:
    """A model whose runs of whole signatures wait for company.

    Any other run, of some outputs only or of several signatures at once, goes
    straight through.
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
        self._queues: dict[tuple[frozenset[str], frozenset[str]], Queue] = {}
        for signature in self.signatures.values():
            fed = frozenset(info.name for info in signature.inputs.values())
            fetched = tuple(info.name for info in signature.outputs.values())
            queue = Queue(parameters, self._processor(fetched))
            self._queues[fed, frozenset(fetched)] = queue
        for queue in self._queues.values():
            scheduler.add(queue)

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
        queue = self._queues.get((frozenset(feeds), frozenset(fetches)))
        if queue is None:
            return self._model.run(feeds, fetches, timeout_s)
        size = size_of(feeds)
        if size > self._parameters.max_batch_size:
            raise invalid_argument(
                f"Task size {size} is larger than maximum input batch size "
                f"{self._parameters.max_batch_size}"
            )
        ends = None if timeout_s is None else time.monotonic() + timeout_s
        parts = split(feeds, size, self._parameters.execution_limit)
        tasks = [Task(part, count, time.monotonic(), ends) for part, count in parts]
        for task in tasks:
            self._scheduler.put(queue, task)
        found = [task.reply.result() for task in tasks]
        return [
            found[0][name]
            if len(found) == 1
            else tensors.joined([part[name] for part in found])
            for name in fetches
        ]

    def close(self) -> None:
        """Frees the model."""
        for queue in self._queues.values():
            self._scheduler.remove(queue)
        self._model.close()

    def _processor(self, fetches: Sequence[str]) -> Callable[[Batch], None]:
        def process(batch: Batch) -> None:
            try:
                replies = self._run_batch(batch, fetches)
            except StatusError as error:
                for task in batch.tasks:
                    task.reply.set_exception(error)
                return
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
            raise StatusError(
                Code.RESOURCE_EXHAUSTED,
                "Run() timeout exceeded while waiting in batching queue",
            )
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
