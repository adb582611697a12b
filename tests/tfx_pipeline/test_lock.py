"""One run at a time under a root."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tfx_pipeline import lock
from tfx_pipeline.lock import RootInUseError

HOLDER = (
    "import sys, time, pathlib\n"
    "from tfx_pipeline import lock\n"
    "with lock.held(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(600)\n"
)


def _holder(root: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    return process


def test_the_second_run_is_told_who_holds_the_root_and_since_when(
    tmp_path: Path,
) -> None:
    with _holder(tmp_path) as process:
        since = r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        with pytest.raises(
            RootInUseError, match=f"process {process.pid} on .* {since}"
        ):
            with lock.held(tmp_path):
                pass
        process.kill()


def test_the_lock_of_a_killed_run_is_taken_over(tmp_path: Path) -> None:
    with _holder(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with lock.held(tmp_path):
        assert f'"process": {os.getpid()}' in (tmp_path / lock.FILE).read_text()


def test_a_run_that_ended_leaves_the_root_free(tmp_path: Path) -> None:
    for _ in range(2):
        with lock.held(tmp_path):
            pass
