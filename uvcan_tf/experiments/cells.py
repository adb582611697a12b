"""Where an experiment keeps its figures, and how it does only what is not done yet."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

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
      batch_size: of neural methods; little data needs less, or an epoch is few steps.
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
        """The surroundings of one fit in an empty folder, or one of the same fit."""
        folder.mkdir(parents=True, exist_ok=True)
        return Run(
            folder=folder,
            seed=seed,
            epochs=self.epochs,
            time_limit_s=self.trial_seconds,
            validation_users=min(500, self.validation_users),
            batch_size=self.batch_size,
        )


class Measured(NamedTuple):
    """Ranks of a method's cell, and how long fitting and ranking took."""

    ranks: Ranks
    fit_seconds: float
    rank_seconds: float


def measured(
    cells: Cells, setting: Setting, method: Method, values: Values, seed: int
) -> Measured:
    """Fits on all training pairs and ranks the test pairs, unless it is on disk."""
    split = setting.whole.of_users(cells.test_users, cells.evaluation.seed)
    path = _place(cells, setting, method, values, seed)
    if not path.exists():
        folder = path.with_suffix("")
        start = time.monotonic()
        scorer = method.fit(split.dataset, values, cells.run(folder, seed)).scorer
        fitted = time.monotonic()
        ranks = split.ranks(scorer, cells.evaluation)
        times = (fitted - start, time.monotonic() - fitted)
        _save(path, ranks, times)
        shutil.rmtree(folder)
        del scorer
        forget_models()
    return _load(path, split)


def is_measured(
    cells: Cells, setting: Setting, method: Method, values: Values, seed: int
) -> bool:
    """Whether `measured` has nothing left to do."""
    return _place(cells, setting, method, values, seed).exists()


def forget_models() -> None:
    """Lets go of the graphs of models that nobody holds any more."""
    import tensorflow as tf

    tf.keras.backend.clear_session()
    gc.collect()


def _place(
    cells: Cells, setting: Setting, method: Method, values: Values, seed: int
) -> Path:
    split = setting.whole.of_users(cells.test_users, cells.evaluation.seed)
    content = {
        "settings": dict(values),
        "defaults": repr(getattr(method, "config", None)),
        "evaluation": dataclasses.asdict(cells.evaluation),
        "pairs": split.digest,
    }
    seed = seed if method.random else 0
    folder = cells.work / cells.name / setting.name
    return folder / f"{method.slug}-seed{seed}-{_digest(content)}.npz"


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _save(path: Path, ranks: Ranks, seconds: tuple[float, float]) -> None:
    arrays = {
        protocol: np.stack(ranked).astype(np.float32)
        for protocol, ranked in ranks.by_protocol.items()
    }
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, seconds=np.array(seconds), **arrays)
    unfinished.rename(path)


def _load(path: Path, split: Split) -> Measured:
    with np.load(path) as content:
        seconds = content["seconds"]
        by_protocol = {
            name: Ranked(*content[name].astype(np.float64))
            for name in content.files
            if name != "seconds"
        }
    ranks = Ranks(split.dataset.test, by_protocol)
    return Measured(ranks, float(seconds[0]), float(seconds[1]))


class Clock:
    """Says how far long work is and about how long the rest will take.

    Args:
      jobs: how many there are.
      say: told a sentence after each.
    """

    def __init__(self, jobs: int, say: Callable[[str], None]) -> None:
        self._jobs, self._say = jobs, say
        self._done, self._worked, self._seconds = 0, 0, 0.0

    def done(self, sentence: str, seconds: float | None = None) -> None:
        """One more job is done, now or, without `seconds`, in an earlier run."""
        self._done += 1
        if seconds is None:
            return
        self._worked += 1
        self._seconds += seconds
        left = (self._jobs - self._done) * self._seconds / self._worked
        self._say(f"[{self._done}/{self._jobs}] {sentence}; {_about(left)} left")


def _about(seconds: float) -> str:
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min"
