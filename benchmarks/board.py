"""What TensorBoard's files cost beside the training that they tell of."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.results import Figure
from uvcan_tf.config import load
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.training import run
from uvcan_tf.training.fit import fit
from uvcan_tf.training.tensorboard.board import Board

CONFIG = Path(__file__).parent.parent / "configs" / "toffee_b.json"


class Metered(Board):
    """Counts the CPU seconds of the process while the board is at work."""

    cpu_s = 0.0

    def __init__(self, *args: Any) -> None:
        with _counted():
            super().__init__(*args)

    @contextlib.contextmanager
    def session(self, resumes: bool) -> Iterator[None]:
        whole = super().session(resumes)
        with _counted():
            whole.__enter__()
        try:
            yield
        finally:
            with _counted():
                whole.__exit__(None, None, None)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        with _counted():
            super().on_epoch_end(epoch, logs)


@contextlib.contextmanager
def _counted() -> Iterator[None]:
    before = time.process_time()
    yield
    Metered.cpu_s += time.process_time() - before


def measure(dataset: Dataset, folder: Path) -> dict[str, Figure]:
    """The share of a whole training with Toffee_b's configuration."""
    shutil.rmtree(folder, ignore_errors=True)
    Metered.cpu_s, config = 0.0, load(CONFIG)
    with mock.patch.object(run, "Board", Metered):
        before = time.process_time()
        fit(dataset, config, folder)
        whole = time.process_time() - before
    logs = [file for file in (folder / "logs").rglob("*") if file.is_file()]
    megabytes = sum(file.stat().st_size for file in logs) / 1e6
    share = 100 * Metered.cpu_s / (whole - Metered.cpu_s)
    return {
        "board_share": Figure(share, "% of CPU", 3, "the goal"),
        "board_megabytes": Figure(megabytes, "MB", 50, "the goal"),
    }
