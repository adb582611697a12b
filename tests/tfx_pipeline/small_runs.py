"""Runs of the command line on the tiny world, and what they leave behind."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from ml_metadata.proto import metadata_store_pb2 as pb2

from tests.tfx_pipeline.worlds import write_world
from tfx_pipeline import config as settings
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.store import STORE, connect
from uvcan_tf import config as uvcan_config

SETTINGS = {
    "model": {"factors": 8, "hops": 1, "initial_stddev": 0.3},
    "training": {"learning_rate": 0.03, "epochs": 8, "batch_size": 16},
    "evaluation": {"sampled_negatives": 20},
}


@dataclasses.dataclass(frozen=True)
class Small:
    """A folder with the tables in `data`, one config, and any number of roots."""

    folder: Path

    def __post_init__(self) -> None:
        if not (self.folder / "data").exists():
            write_world(self.folder / "data")
        (self.folder / "config.json").write_text(json.dumps(SETTINGS))

    def config(self, root: Path) -> PipelineConfig:
        return settings.local(
            self.folder / "data",
            root,
            uvcan_config.load(self.folder / "config.json"),
        )

    def start(self, root: Path, *arguments: str) -> "subprocess.Popen[str]":
        """The command of the quick start, in a process of its own."""
        command = [
            *(sys.executable, "-m", "tfx_pipeline", "run", "--root", str(root)),
            *("--data", str(self.folder / "data")),
            *("--config", str(self.folder / "config.json"), *arguments),
        ]
        return subprocess.Popen(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, root: Path, *arguments: str) -> tuple[int, str]:
        """The exit status, and all that was on the screen."""
        process = self.start(root, *arguments)
        screen, _ = process.communicate()
        return process.returncode, screen


def versions(root: Path) -> list[str]:
    """Everything in the serving folder, hidden names included."""
    return sorted(path.name for path in (root / "serving" / "uvcan").iterdir())


def weights(version: Path) -> dict[str, npt.NDArray[np.generic]]:
    reader = tf.train.load_checkpoint(str(version / "variables" / "variables"))
    shapes = reader.get_variable_to_shape_map()
    return {
        name: reader.get_tensor(name)
        for name in shapes
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    }


def check_in_order(root: Path) -> None:
    """One version, nothing that seems to run, nothing that nobody finished."""
    (version,) = versions(root)
    assert version.isdigit()
    store = connect(str(root / STORE))
    states = {e.id: e.last_known_state for e in store.get_executions()}
    assert pb2.Execution.RUNNING not in states.values()
    for folder in (root / "Trainer" / "model").iterdir():
        assert states[int(folder.name)] == pb2.Execution.COMPLETE
    assert list((root / "checkpoints").iterdir()) == []
