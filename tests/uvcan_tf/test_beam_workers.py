"""A worker process of Beam's local runner that is killed ends its pipeline."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from uvcan_tf.beam_workers import watched

#: The library of a worker alone needs some seconds; the work would take ten minutes.
SOON_S = 60
SENTENCE = "Every worker process of Beam's local runner should work to its end."


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.uvcan_tf.beam_workers", str(tmp_path)]
    process = subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    yield process
    process.kill()
    process.communicate()


def workers(process: int) -> list[int]:
    """The numbers of the Beam workers that a process has started."""
    files = Path(f"/proc/{process}/task").glob("*/children")
    found = [int(word) for file in files for word in file.read_text("ascii").split()]
    return [child for child in found if b"sdk_worker_main" in command_of(child)]


def command_of(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.drill
def test_a_worker_killed_at_work_ends_the_pipeline_and_the_other(
    tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    while len(working := list(tmp_path.glob("work-*"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    first, other = (int(path.name.removeprefix("work-")) for path in working)
    os.kill(first, signal.SIGKILL)
    said, printed = process.communicate(timeout=SOON_S)
    assert "Traceback" not in printed
    assert said.startswith(SENTENCE) and said.count("\n") == 1
    assert "exited with return code -9" in said
    assert not Path(f"/proc/{other}").exists()


@pytest.mark.drill
def test_a_worker_killed_before_it_works_ends_the_pipeline(
    process: subprocess.Popen[str],
) -> None:
    while not (started := workers(process.pid)):
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(started[0], signal.SIGKILL)
    said, _ = process.communicate(timeout=SOON_S)
    assert said.startswith(SENTENCE)


def test_what_fails_with_all_workers_alive_is_what_it_was() -> None:
    with pytest.raises(OSError, match="^the disk$"), watched():
        raise OSError("the disk")


def test_threads_that_fail_later_are_shown_again() -> None:
    before = threading.excepthook
    with watched():
        assert threading.excepthook is not before
    assert threading.excepthook is before
