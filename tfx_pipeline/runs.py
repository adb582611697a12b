"""The runs of a root by their numbers, and where each of them leaves what it shows.

Run n of a root is the n-th that its metadata store knows of. Training that was killed
and goes on in a later run keeps the name that it began with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import ml_metadata as mlmd

from tfx_pipeline.store import pipeline_runs
from uvcan_tf.training.tensorboard.board import Logs

#: The folder of a root with a folder for each run.
RUNS: Final = "runs"
#: In the folder of a run that has failed: the sentence that it ended with.
FAILURE: Final = "failure.txt"
#: The folder of a root that TensorBoard is opened on.
TENSORBOARD: Final = "tensorboard"

_NAME: Final = "tensorboard_run.txt"


def begin(store: mlmd.MetadataStore, root: Path) -> Path:
    """Makes the folder of the run that is about to begin."""
    folder = root / RUNS / str(len(pipeline_runs(store)) + 1)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def folders(root: Path) -> set[Path]:
    """Those of all runs so far."""
    return {p for p in (root / RUNS).glob("*") if p.name.isdigit()}


def newest(root: Path) -> int:
    """The number of the run that began last; 1 where there is none."""
    return max((int(folder.name) for folder in folders(root)), default=1)


def training_logs(root: Path, checkpoints: Path) -> Logs:
    """Where TensorBoard's files of a training run go.

    Args:
      root: of the pipeline.
      checkpoints: the folder in which the run can be taken up again; it keeps the name.
    """
    note = checkpoints / _NAME
    if not note.exists():
        note.write_text(f"run-{newest(root)}", encoding="ascii")
    return Logs(root / TENSORBOARD / note.read_text(encoding="ascii"))


def trial_logs(root: Path, number: int) -> Logs:
    """Where those of a trial of a search go, counted from 1."""
    name = f"run-{newest(root)}-trial-{number:02d}"
    return Logs(root / TENSORBOARD / name, brief=True)
