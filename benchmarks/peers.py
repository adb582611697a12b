"""Beside RecBole: its NeuMF on the same pairs, in its own environment."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from benchmarks import training
from benchmarks.results import Figure
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset

_NAME = "likes"
_EPOCHS = 3
_PAIRS_A_STEP = {
    "train_vs_recbole_neumf": training.PAIRS_A_STEP,
    "train_vs_recbole_neumf_small_steps": 512,
}
_SCRIPT = Path(__file__).parent / "recbole_neumf.py"


def measure(dataset: Dataset, python: Path) -> Iterator[dict[str, Figure]]:
    """Examples a second of UVCAN beside the simpler network of a PyTorch library."""

    def theirs(*pairs: int) -> float:
        sizes = map(str, (Config().training.negatives, _EPOCHS, *pairs))
        answer = subprocess.run(
            [python.absolute(), _SCRIPT, folder, _NAME, *sizes],
            capture_output=True,
            text=True,
            cwd=folder,
        )
        if answer.returncode:
            raise click.ClickException(
                f"--python {python} should run RecBole's NeuMF. It ended with: "
                f"{answer.stderr.strip().splitlines()[-1]}. "
                "`make bench-peers` builds an environment that does."
            )
        return float(answer.stdout.split()[-1])

    def figure(ours: Config, reference: float, of: str) -> Figure:
        rate = training.examples_per_s(dataset, ours)
        return Figure(rate, "examples/s", reference, of)

    with tempfile.TemporaryDirectory() as folder:
        _write(dataset, Path(folder))
        for name, pairs in _PAIRS_A_STEP.items():
            yield {name: figure(training.config(pairs), theirs(pairs), "RecBole NeuMF")}
        name = "train_vs_recbole_neumf_as_shipped"
        yield {name: figure(Config(), theirs(), "RecBole NeuMF, either's defaults")}


def _write(dataset: Dataset, folder: Path) -> None:
    """The training pairs as RecBole reads them."""
    file = folder / _NAME / f"{_NAME}.inter"
    file.parent.mkdir()
    rows = np.stack([dataset.train.user, dataset.train.video], axis=1)
    header = "user_id:token\titem_id:token"
    np.savetxt(file, rows, "%d", "\t", header=header, comments="")
