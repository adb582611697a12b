"""Every job is done once, and a failure is not lost."""

from __future__ import annotations

import pytest

from uvcan_tf.threads import in_threads


def test_every_job_is_done_once() -> None:
    done: list[int] = []
    in_threads(done.append, range(101))
    assert sorted(done) == list(range(101))


def test_a_failure_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda job: 1 // job, [3, 0, 2])
