"""Where an experiment keeps its figures, and how it does only what is not done yet."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import uvcan_tf
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.evaluation.ranking import Ranked, Ranks
from uvcan_tf.experiments.method import Method, Run
from uvcan_tf.experiments.setting import Setting, Split
from uvcan_tf.search_spaces import Values


@dataclasses.dataclass(frozen=True)
class Cells:
    """The figures of one data folder: where they lie, and how they come about.

    Args:
      name: of the data, and of the folders that hold its figures.
      command: that was given, for the files that say how to get their figures again.
      work: what may be deleted: ranks, trials, checkpoints.
      out: what is kept: settings, tables and plots.
      trials: of every method's search.
      test_users, validation_users: at most so many users are ranked.
      epochs, trial_seconds: limits of a neural method's trial.
      batch_size: of neural methods whose preset names none; little data needs less, or
        an epoch is few steps.
      say: told one sentence at a time.
    """

    name: str
    command: str
    work: Path
    out: Path
    evaluation: EvaluationConfig = EvaluationConfig()
    trials: int = 8
    test_users: int | None = None
    validation_users: int = 1000
    epochs: int = 30
    trial_seconds: float = 300.0
    batch_size: int = 2048
    say: Callable[[str], None] = print

    @property
    def results(self) -> Path:
        """Where tables and plots lie."""
        return self.out / self.name

    def run(self, folder: Path, seed: int) -> Run:
        """The surroundings of one fit in a folder."""
        return Run(
            folder=folder,
            seed=seed,
            epochs=self.epochs,
            time_limit_s=self.trial_seconds,
            validation_users=self.validation_users,
            batch_size=self.batch_size,
            evaluation=self.evaluation,
        )

    def place(
        self, setting: Setting, split: Split, method: Method, *decisive: Any
    ) -> Path:
        """Where figures of a method on a split are kept: apart for all that decides."""
        content = [uvcan_tf.__version__, split.digest, *decisive]
        content.append(dataclasses.asdict(self.evaluation))
        name = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return self.work / self.name / setting.name / f"{method.slug}-{name[:12]}"


class Measured(NamedTuple):
    """Ranks of a method's cell, and how long fitting and ranking took."""

    ranks: Ranks
    fit_seconds: float
    rank_seconds: float

    def __str__(self) -> str:
        """HR@10 and NDCG@10 under both protocols, and the time."""
        summary = self.ranks.summary((10,))
        shown = (
            f"{name} {means['hr@10']:.4f}/{means['ndcg@10']:.4f}"
            for name, means in summary.items()
        )
        times = f"{self.fit_seconds:.0f} + {self.rank_seconds:.0f} s"
        return f"{', '.join(shown)} in {times}"


class Cell(NamedTuple):
    """One method with one seed on the pairs of one setting; on disk once measured."""

    cells: Cells
    setting: Setting
    method: Method
    values: Values
    seed: int

    @property
    def path(self) -> Path:
        """The file with its ranks."""
        run = self.cells.run(Path(), self.seed)
        key = self.method.key(self.values, run)
        name = self.cells.place(self.setting, self._split, self.method, key)
        return name.with_suffix(".npz")

    def measured(self) -> Measured:
        """Fits on all training pairs and ranks the test pairs, unless it is on disk."""
        split, path = self._split, self.path
        if not path.exists():
            folder = path.with_suffix("")
            folder.mkdir(parents=True, exist_ok=True)
            run = self.cells.run(folder, self.seed)
            start = time.monotonic()
            scorer = self.method.fit(split.dataset, self.values, run).scorer
            fitted = time.monotonic()
            ranks = split.ranks(scorer, self.cells.evaluation)
            save(path, Measured(ranks, fitted - start, time.monotonic() - fitted))
            shutil.rmtree(folder)
            del scorer
            forget_models()
        return load(path, split)

    @property
    def _split(self) -> Split:
        return self.setting.whole.of_users(
            self.cells.test_users, self.cells.evaluation.seed
        )


def forget_models() -> None:
    """Lets go of the graphs of models that nobody holds any more."""
    import tensorflow as tf

    tf.keras.backend.clear_session()
    gc.collect()


def save(path: Path, cell: Measured) -> None:
    """Keeps a cell's ranks; a killed run leaves no half of a file."""
    arrays: dict[str, Any] = {  # NumPy 2 would take them for its own switches
        protocol: np.stack(ranked).astype(np.float32)
        for protocol, ranked in cell.ranks.by_protocol.items()
    }
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, seconds=np.array(cell[1:]), **arrays)
    unfinished.rename(path)


def load(path: Path, split: Split) -> Measured:
    """The ranks of the split's test pairs that a file keeps."""
    with np.load(path) as content:
        arrays = {name: content[name].astype(np.float64) for name in content.files}
    seconds = arrays.pop("seconds")
    by_protocol = {name: Ranked(*array) for name, array in arrays.items()}
    ranks = Ranks(split.dataset.test, by_protocol)
    return Measured(ranks, float(seconds[0]), float(seconds[1]))
