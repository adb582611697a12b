"""Work that releases Python's lock, on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")


def in_threads(work: Callable[[Job], None], jobs: Iterable[Job]) -> None:
    """Does all jobs, a thread for each core this process may use.

    Raises:
      Exception: of the first job that failed.
    """
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        for _ in threads.map(work, jobs):
            pass
