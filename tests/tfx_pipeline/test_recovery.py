"""A root that someone deleted from, moved, filled up or runs in twice."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as pb2

from tests.tfx_pipeline.small_runs import Small, check_in_order
from tfx_pipeline import lock
from tfx_pipeline.store import STORE, connect

pytestmark = [
    pytest.mark.drill,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return Small(tmp_path_factory.mktemp("recovery"))


@pytest.fixture(scope="module")
def root(small: Small) -> Path:
    """A root with one finished run; the tests take it on in their order."""
    status, screen = small.run(small.folder / "root")
    assert status == 0, screen
    return small.folder / "root"


def test_a_pushed_version_that_was_deleted_is_pushed_again(
    small: Small, root: Path
) -> None:
    shutil.rmtree(root / "serving")
    status, screen = small.run(root)
    assert status == 0
    assert "made anew where it is needed: serving/uvcan/" in screen
    assert f"Blessed. Pushed to {root}/serving/uvcan/" in screen
    check_in_order(root)


def test_a_second_run_at_once_is_one_sentence(small: Small, root: Path) -> None:
    with lock.held(root):
        status, screen = small.run(root)
    assert status == 1
    assert screen.count("\n") == 1
    assert "in use by process" in screen and " since 20" in screen


def test_a_root_without_its_old_model_trains_and_pushes_the_next(
    small: Small, root: Path
) -> None:
    shutil.rmtree(root / "Trainer")
    status, screen = small.run(root)
    assert status == 0, screen
    assert "The last blessed model, Trainer/model/" in screen
    assert "Blessed. Pushed to" in screen


def test_a_moved_root_goes_on(small: Small, root: Path) -> None:
    moved = Path(shutil.move(root, small.folder / "moved"))
    status, screen = small.run(moved)
    assert status == 0, screen
    assert "made anew" not in screen and "is gone" not in screen
    assert f"Blessed. Pushed to {moved}/serving/uvcan/" in screen


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk needs the right to mount one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_one_sentence_and_loses_nothing(
    small: Small, small_disk: Path
) -> None:
    root = small_disk / "root"
    started = time.monotonic()
    status, screen = small.run(root)
    print(f"\n{time.monotonic() - started:.0f} s to:\n{screen}")
    assert status == 1
    assert "Traceback" not in screen
    assert f"The disk that holds {root} is full. Make room" in screen.splitlines()[-1]
    remount = ["mount", "-o", "remount,size=200m", str(small_disk)]
    subprocess.run(remount, check=True)
    status, screen = small.run(root)
    assert status == 0, screen
    assert "cached" in screen
    check_in_order(root)
    states = connect(str(root / STORE)).get_executions()
    assert all(e.last_known_state != pb2.Execution.RUNNING for e in states)
