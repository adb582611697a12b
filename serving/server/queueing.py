"""Batches in the making, and the threads that run them.

A queue holds the batches of one set of inputs and outputs; its last batch is open. The
scheduler's threads take a queue's first batch when it is full, or old enough.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from serving.server.joining import Task
from serving.server.parameters import Parameters
from serving.server.status import Code, StatusError, as_status

_LONGEST_WAIT_S: Final = 60.0  # then the queues are looked at again


@dataclasses.dataclass
class Batch:
    """Tasks that run together."""

    tasks: list[Task] = dataclasses.field(default_factory=list)
    size: int = 0
    opened: float = 0.0

    def add(self, task: Task) -> None:
        """Puts a task in; the batch's age is that of its first."""
        if not self.tasks:
            self.opened = time.monotonic()
        self.tasks.append(task)
        self.size += task.size


class Queue:
    """Batches of the same inputs and outputs, first in first out."""

    def __init__(
        self, parameters: Parameters, process: Callable[[Batch], None]
    ) -> None:
        self.parameters = parameters
        self.process = process
        self.batches: deque[Batch] = deque()

    def put(self, task: Task) -> None:
        """Adds a task to the open batch, or opens another one.

        Raises:
          StatusError: UNAVAILABLE where there are too many batches already.
        """
        limit = self.parameters.execution_limit
        if not self.batches or self.batches[-1].size + task.size > limit:
            if len(self.batches) >= self.parameters.max_enqueued_batches:
                raise StatusError(
                    Code.UNAVAILABLE,
                    "The batch scheduling queue to which this task was submitted is "
                    f"full; currently {len(self.batches)} batches enqueued and "
                    "max_enqueued_batches is "
                    f"{self.parameters.max_enqueued_batches}",
                )
            self.batches.append(Batch())
        self.batches[-1].add(task)

    def due(self, now: float) -> float:
        """Seconds until the first batch should run; without end when there is none."""
        if not self.batches:
            return float("inf")
        first = self.batches[0]
        if len(self.batches) > 1 or first.size >= self.parameters.execution_limit:
            return 0.0
        return max(first.opened + self.parameters.batch_timeout_s - now, 0.0)


class Scheduler:
    """Threads that serve the queues in which anything waits, in turn.

    Whatever a batch raises is told to each of its tasks; the thread lives on.
    """

    def __init__(self, threads: int) -> None:
        self._queues: list[Queue] = []
        self._changed = threading.Condition()
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batch-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, queue: Queue, task: Task) -> None:
        """Adds a task to a queue."""
        with self._changed:
            queue.put(task)
            if queue not in self._queues:
                self._queues.append(queue)
            self._changed.notify()

    def stop(self) -> None:
        """Ends the threads once nothing is waiting."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            queue, batch = taken
            tasks = [t for t in batch.tasks if t.reply.set_running_or_notify_cancel()]
            if not tasks:
                continue
            try:
                queue.process(Batch(tasks, sum(task.size for task in tasks)))
            except Exception as error:
                _fail(tasks, as_status(error, "A batch"))

    def _take(self) -> tuple[Queue, Batch] | None:
        with self._changed:
            while True:
                now = time.monotonic()
                dues = [queue.due(now) for queue in self._queues]
                soonest = min(dues, default=float("inf"))
                if soonest == 0:
                    queue = self._queues.pop(dues.index(0))
                    batch = queue.batches.popleft()
                    if queue.batches:
                        self._queues.append(queue)  # the others come first next time
                        self._changed.notify()
                    return queue, batch
                if self._stopped:
                    return None
                self._changed.wait(min(soonest, _LONGEST_WAIT_S))


def _fail(tasks: list[Task], status: StatusError) -> None:
    for task in tasks:
        task.reply.set_exception(status)
