"""How good a method is for people it never saw, by the number of likes they give.

A share of the users is held out entirely. Some likes of each are given in the request,
in the order of time where it is known; those after the first 20 are asked for, the
same ones whatever is given. A method that knows impressions is measured twice: told the
likes alone, and told what was skipped between them, too.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from uvcan_tf.data.dataset import NO_PAIRS, Dataset, IntArray, Pairs
from uvcan_tf.data.matrices import likes_of
from uvcan_tf.errors import ConfigError
from uvcan_tf.evaluation.scorers import Scorer, SkippedImpressionsLast
from uvcan_tf.experiments import cells as stored
from uvcan_tf.experiments import plots, results
from uvcan_tf.experiments.cells import Cells, Measured, forget_models
from uvcan_tf.experiments.choice import subject
from uvcan_tf.experiments.method import Fitted, Method
from uvcan_tf.experiments.results import METRIC_NAMES, TITLES
from uvcan_tf.experiments.runs import tune
from uvcan_tf.experiments.setting import (
    PROTOCOLS,
    Setting,
    Split,
    new_users_setting,
)
from uvcan_tf.search_spaces import Values
from uvcan_tf.terminal.progress import progress

GIVEN: Final = (1, 2, 5, 10, 20)
_SKIPPED: Final = ", told the skipped, too"


class Told(NamedTuple):
    """What is learned from, what is told, and what is ranked.

    Attributes:
      learned: without any pair of the held-out users.
      given: the pairs of these that a request tells, by their number for each user.
      skipped: what they were shown meanwhile and did not like, by the same number.
      split: its test pairs are asked for; no given pair is a rival, told or not.
    """

    learned: Dataset
    given: dict[int, Pairs]
    skipped: dict[int, Pairs]
    split: Split

    def history(self, number: int) -> Dataset:
        """The likes that a method knows of when so many were given."""
        train = self.learned.train + self.given[number]
        return dataclasses.replace(self.learned, train=train)


def told(dataset: Dataset, cells: Cells) -> Told:
    """Holds users out, and divides the likes of those who have more than 20.

    Raises:
      ConfigError: nobody has.
    """
    evaluation = cells.evaluation
    setting = new_users_setting(dataset, evaluation, cells.validation_users)
    learned, pairs = setting.whole.dataset, setting.whole.dataset.test
    place = _places(pairs, evaluation.seed)
    enough = np.bincount(pairs.user)[pairs.user] > max(GIVEN)
    if not enough.any():
        raise ConfigError(
            f"Some users should have more than {max(GIVEN)} likes, of which "
            "some are given and others asked for. Received: nobody held out has. "
            "Bring data with more likes of a user."
        )
    given = {n: pairs.where(enough & (place < n)) for n in GIVEN}
    ranked = dataclasses.replace(
        learned,
        train=learned.train + given[max(GIVEN)],
        test=pairs.where(enough & (place >= max(GIVEN))),
    )
    split = Split(ranked).of_users(cells.test_users, evaluation.seed)
    learned = dataclasses.replace(learned, test=split.dataset.test)
    asked = np.isin(dataset.impressions.user, split.dataset.test.user)
    shown = dataset.impressions.where(asked)
    before = _likes_before(shown, pairs, evaluation.seed)
    skipped = {n: shown.where(before < n) for n in GIVEN}
    return Told(learned, given, skipped, split)


def _places(pairs: Pairs, seed: int) -> npt.NDArray[np.int64]:
    """The place [P] of each pair among those of its user: by time, or at random."""
    key = pairs.time
    if key is None:
        key = np.random.default_rng(seed).permutation(len(pairs))
    order = np.lexsort((key, pairs.user))
    user = pairs.user[order]
    place = np.empty(len(pairs), np.int64)
    place[order] = np.arange(len(pairs)) - np.searchsorted(user, user)
    return place


def _likes_before(shown: Pairs, likes: Pairs, seed: int) -> npt.NDArray[np.int64]:
    """How many of a user's likes came before each impression: by time, or drawn."""
    counts = np.bincount(likes.user)
    if shown.time is None or likes.time is None:
        rng = np.random.default_rng(seed)
        return rng.integers(counts[shown.user])
    order = np.lexsort((likes.time, likes.user))
    user, time = likes.user[order], likes.time[order]
    starts = np.searchsorted(user, np.arange(len(counts) + 1))
    return np.array(
        [
            np.searchsorted(time[starts[u] : starts[u + 1]], moment)
            for u, moment in zip(shown.user, shown.time, strict=True)
        ],
        np.int64,
    )


class _OfLikes:
    """The scores of users by the likes that they give."""

    def __init__(self, scorer: Any, dataset: Dataset) -> None:
        self._scorer, self._likes = scorer, likes_of(dataset)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]."""
        found: npt.NDArray[np.float32] = self._scorer.scores_of_likes(
            self._likes[users]
        )
        return found


def _with_history(fitted: Fitted, dataset: Dataset, skipped: Pairs) -> Scorer:
    """The fitted scorer, knowing the dataset's likes without having learned them.

    What was skipped is not recommended.
    """
    if fitted.model is None:
        return _OfLikes(fitted.scorer, dataset)
    fitted.model.remember(dataset.train, skipped)
    fitted.scorer.refresh(fitted.model)  # type: ignore[attr-defined]
    shown = dataclasses.replace(dataset, impressions=skipped)
    return SkippedImpressionsLast(fitted.scorer, shown)


def run(
    cells: Cells,
    setting: Setting,
    dataset: Dataset,
    methods: Sequence[Method],
    seeds: Sequence[int],
) -> None:
    """Measures every method with the settings of Table 3; CSV, Markdown and a plot."""
    chosen = tune(cells, setting, methods)
    world = told(dataset, cells)
    rows = []
    with progress("Measuring", len(methods) * len(seeds)) as bar:
        for method in methods:
            for seed in seeds:
                found = _measured(cells, world, method, chosen[method.name], seed)
                for (name, number), cell in found.items():
                    rows += results.figures(
                        cell.ranks, (10,), method=name, given=number, seed=seed
                    )
                bar.advance()
    frame = pd.DataFrame(rows)
    results.write_csv(cells.results / "likes-given.csv", frame)
    own = subject(tuple(methods))
    place = cells.results / "likes-given.png"
    plots.lines(frame, place, "given", "likes given", own.name if own else None)
    text = _text(cells, world, frame, len(seeds))
    (cells.results / "likes-given.md").write_text(text, encoding="utf-8")


def _measured(
    cells: Cells, world: Told, method: Method, values: Values, seed: int
) -> dict[tuple[str, int], Measured]:
    """By what is told, and the number of likes; fits unless all of it is on disk."""
    # Of people held out, no skipped impression is known, so none can rank last.
    evaluation = dataclasses.replace(cells.evaluation, skipped_impressions_last=False)
    run = dataclasses.replace(cells.run(cells.work, seed), evaluation=evaluation)
    setting = Setting("likes-given", world.split, world.split)
    key = method.key(values, run)
    ways = [method.name, method.name + _SKIPPED][: 1 + method.knows_impressions]
    paths = {
        (way, n): cells.place(
            setting, world.split, method, key, n, *[_SKIPPED] * (way != method.name)
        ).with_suffix(".npz")
        for way in ways
        for n in GIVEN
    }
    if not all(path.exists() for path in paths.values()):
        folder = paths[ways[0], GIVEN[0]].with_suffix("")
        folder.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        run = dataclasses.replace(run, folder=folder)
        fitted = method.fit(world.learned, values, run)
        fit_seconds = time.monotonic() - start
        for (way, number), path in paths.items():
            start = time.monotonic()
            skipped = world.skipped[number] if way.endswith(_SKIPPED) else NO_PAIRS
            scorer = _with_history(fitted, world.history(number), skipped)
            ranks = world.split.ranks(scorer, evaluation)
            cell = Measured(ranks, fit_seconds, time.monotonic() - start)
            stored.save(path, cell)
            cells.say(f"{way}, {number} given, seed {seed}: {cell}")
        shutil.rmtree(folder)
        del fitted
        forget_models()
    return {told: stored.load(path, world.split) for told, path in paths.items()}


def _text(cells: Cells, world: Told, frame: pd.DataFrame, seeds: int) -> str:
    pairs = world.split.dataset.test
    users = len(np.unique(pairs.user))
    text = [
        f"{cells.name}: {len(pairs):,} likes of {users:,} users whom no method has "
        f"seen, by the number of their other likes that are given; mean ± standard "
        f"deviation over {seeds} seed{'s' * (seeds > 1)}.\n"
    ]
    for protocol in PROTOCOLS:
        for metric, shown in METRIC_NAMES.items():
            part = frame[(frame.protocol == protocol) & (frame.metric == metric)]
            text += [f"### {shown}@10. {TITLES[protocol]}\n", _table(part)]
    return "\n".join(text)


def _table(part: pd.DataFrame) -> str:
    means = results.mean_and_spread(part, ("method", "given"))
    means = means.set_index(["method", "given"]).sort_index()
    rows = [
        [method, *(results.with_spread(*means.loc[(method, n)]) for n in GIVEN)]
        for method in dict.fromkeys(part.method)
    ]
    return results.markdown(["method", *map(str, GIVEN)], rows)
