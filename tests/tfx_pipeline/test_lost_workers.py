"""`kill -9` of a Beam worker while ExampleGen works in shards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as pb2

from tests.tfx_pipeline import records
from tests.tfx_pipeline.small_runs import Small
from tests.uvcan_tf.test_beam_workers import SENTENCE, workers
from tfx_pipeline import snapshot
from tfx_pipeline.config import LOCAL_BEAM
from tfx_pipeline.store import EXAMPLE_GEN, STORE, connect, last_execution
from uvcan_tf.data.tables import read_tables

pytestmark = [
    pytest.mark.drill,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

#: The command of a run, with shards that are small enough for the tiny world.
IN_SHARDS = """
from tfx_pipeline import sharded
from tfx_pipeline.__main__ import main
sharded.PAIRS_A_SHARD = 100
main()
"""
RUNNER, _, _, IMAGE = LOCAL_BEAM
TWO = (
    RUNNER,
    IMAGE,
    "--direct_running_mode=multi_processing",
    "--direct_num_workers=2",
)


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """With a model that an earlier run has pushed."""
    (tmp_path / "root" / "serving" / "uvcan" / "1").mkdir(parents=True)
    (tmp_path / "root" / "serving" / "uvcan" / "1" / "saved_model.pb").touch()
    return tmp_path / "root"


def start(small: Small, root: Path) -> subprocess.Popen[str]:
    command = [
        *(sys.executable, "-W", "ignore", "-c", IN_SHARDS, "run", "--root", str(root)),
        *("--data", str(small.folder / "data")),
        *("--config", str(small.folder / "config.json")),
        *(word for given in TWO for word in ("--beam-arg", given)),
    ]
    return subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def kill_one(run: subprocess.Popen[str], root: Path, pattern: str) -> list[int]:
    """Kills a worker once such a file is there for others; gives all workers."""
    while not (found := workers(run.pid)) or not any(root.rglob(pattern)):
        assert run.poll() is None, run.communicate()
        time.sleep(0.005)
    os.kill(found[-1], signal.SIGKILL)
    return found


#: Any file, or one that workers of a pipeline leave for others; see `sharded.write`.
MOMENTS = ("*", "batches-of-*")


@pytest.mark.parametrize("pattern", MOMENTS)
def test_a_killed_worker_is_one_sentence_and_leaves_nothing(
    small: Small, root: Path, pattern: str
) -> None:
    run = start(small, root)
    killed = kill_one(run, root, pattern)
    screen, _ = run.communicate(timeout=120)
    assert run.returncode == 1
    assert screen.startswith(f"Error: {EXAMPLE_GEN}: {SENTENCE}")
    assert screen.count("\n") == 1
    assert not any(Path(f"/proc/{worker}").exists() for worker in killed)
    (version,) = (root / "serving" / "uvcan").iterdir()
    assert [file.name for file in version.iterdir()] == ["saved_model.pb"]
    execution = last_execution(connect(str(root / STORE)), EXAMPLE_GEN)
    assert execution and execution.last_known_state == pb2.Execution.FAILED


def test_the_next_run_makes_the_examples_anew(small: Small, root: Path) -> None:
    run = start(small, root)
    kill_one(run, root, "rows-*")
    run.communicate(timeout=120)
    run = start(small, root)
    assert run.stdout is not None
    assert EXAMPLE_GEN in next(run.stdout), run.communicate()
    for process in (run.pid, *workers(run.pid)):
        os.kill(process, signal.SIGKILL)
    run.communicate()
    config = small.config(root)
    tables = read_tables(small.folder / "data", config.features)
    expected = snapshot.splits(tables, config.features, config.config.evaluation, True)
    (examples,) = (root / EXAMPLE_GEN / "examples").iterdir()
    for split, table in expected.items():
        found = list(records.of_folder(examples / f"Split-{split}"))
        assert len(found) == len(set(found)) == table.num_rows, split
