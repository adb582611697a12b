"""`kill -9` at random moments: the next run ends as if nothing had happened.

`make drills` kills 30 times; the suite, whose option is `--kills`, only twice.
"""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.tfx_pipeline.small_runs import Small, check_in_order, check_same

pytestmark = [
    pytest.mark.drill,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_a_killed_run_is_finished_by_the_next_one_to_the_bit(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills = pytestconfig.getoption("--kills")
    moments = random.Random(pytestconfig.getoption("--kills-seed"))
    small = Small(tmp_path)
    reference = tmp_path / "reference"
    started = time.monotonic()
    status, screen = small.run(reference)
    assert status == 0, screen
    whole_s = time.monotonic() - started
    left, roots = kills, 0
    while left:
        root = tmp_path / f"root {roots}"
        left -= _kill_until_done(small, root, moments, whole_s, left)
        check_in_order(root)
        check_same(small.config(root), small.config(reference))
        shutil.rmtree(root)
        roots += 1
    print(f"\n{kills} kills under {roots} roots: the same figures and weights.")


def _kill_until_done(
    small: Small, root: Path, moments: random.Random, whole_s: float, most: int
) -> int:
    """Kills at most so many runs, then lets one end; returns how many were killed."""
    killed = 0
    while killed < most:
        process = small.start(root)
        ends = time.monotonic() + moments.uniform(0.3, 0.9) * whole_s
        while process.poll() is None and time.monotonic() < ends:
            time.sleep(0.05)
        if process.poll() is not None:
            screen, _ = process.communicate()
            assert process.returncode == 0, screen
            return killed
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += 1
    status, screen = small.run(root)
    assert status == 0, screen
    return killed
