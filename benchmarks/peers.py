"""Beside RecBole: its NeuMF on the same pairs, in its own environment."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import training
from benchmarks.results import Figure
from uvcan_tf.dataset import Dataset

_NAME = "likes"
_EPOCHS = 3
_SCRIPT = Path(__file__).parent / "recbole_neumf.py"


def measure(dataset: Dataset, python: Path) -> dict[str, Figure]:
    """Examples a second of UVCAN beside the simpler network of a PyTorch library."""
    config = training.config()
    with tempfile.TemporaryDirectory() as folder:
        _write(dataset, Path(folder))
        arguments = (config.training.batch_size, config.training.negatives, _EPOCHS)
        theirs = subprocess.run(
            [python.absolute(), _SCRIPT, folder, _NAME, *map(str, arguments)],
            check=True,
            capture_output=True,
            text=True,
            cwd=folder,
        ).stdout.split()[-1]
    ours = training.examples_per_s(dataset, config)
    return {
        "train_vs_recbole_neumf": Figure(
            ours, "examples/s", float(theirs), "RecBole's NeuMF"
        )
    }


def _write(dataset: Dataset, folder: Path) -> None:
    """The training pairs as RecBole reads them."""
    file = folder / _NAME / f"{_NAME}.inter"
    file.parent.mkdir()
    rows = np.stack([dataset.train.user, dataset.train.video], axis=1)
    header = "user_id:token\titem_id:token"
    np.savetxt(file, rows, "%d", "\t", header=header, comments="")
