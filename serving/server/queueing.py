"""Batches in the making, and the threads that run them.

A queue holds the batches of one signature of one version; its last batch is open. The
scheduler's threads take a queue's first batch when it is full, or old enough.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Callable

from serving.server.joining import Task
from serving.server.parameters import Parameters
from serving.server.status import Code, StatusError


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
    """Batches of one signature, first in first out."""

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
    """Threads that serve all queues in turn."""

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

    def add(self, queue: Queue) -> None:
        """Serves a queue from now on."""
        with self._changed:
            self._queues.append(queue)

    def remove(self, queue: Queue) -> None:
        """Serves a queue no more; nobody waits in it by now."""
        with self._changed:
            self._queues.remove(queue)

    def put(self, queue: Queue, task: Task) -> None:
        """Adds a task to a queue."""
        with self._changed:
            queue.put(task)
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
            queue.process(batch)

    def _take(self) -> tuple[Queue, Batch] | None:
        with self._changed:
            while True:
                now = time.monotonic()
                dues = [queue.due(now) for queue in self._queues]
                soonest = min(dues, default=float("inf"))
                if soonest == 0:
                    queue = self._queues.pop(dues.index(0))
                    self._queues.append(queue)  # the others come first next time
                    batch = queue.batches.popleft()
                    if queue.batches:
                        self._changed.notify()
                    return queue, batch
                if self._stopped:
                    return None
                self._changed.wait(None if soonest == float("inf") else soonest)
