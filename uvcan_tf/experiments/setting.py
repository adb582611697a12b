"""What is measured: pairs to learn from, pairs to rank, and among which videos.

Shapes: B users, V videos, W candidates.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, IntArray, Pairs, Side
from uvcan_tf.data.split import hold_out_ids
from uvcan_tf.evaluation.ranking import (
    FULL,
    SAMPLED,
    Ranks,
    rank_pairs,
)
from uvcan_tf.evaluation.scorers import Scorer

PROTOCOLS = (SAMPLED, FULL)


class Split(NamedTuple):
    """Pairs to learn from and to rank.

    Attributes:
      dataset: its `train` is learned from, its `test` ranked.
      candidates: the only video rows that are ranked, or None for all.
    """

    dataset: Dataset
    candidates: IntArray | None = None

    def of_users(self, users: int | None, seed: int) -> Split:
        """The same, with the test pairs of so many users at most."""
        if users is None:
            return self
        some = self.dataset.test.of_some_users(users, seed)
        return self._replace(dataset=dataclasses.replace(self.dataset, test=some))

    def ranks(
        self,
        scorer: Scorer,
        config: EvaluationConfig,
        protocols: tuple[str, ...] = PROTOCOLS,
    ) -> Ranks:
        """Ranks of the test pairs, in their order."""
        if self.candidates is None:
            return rank_pairs(scorer, self.dataset, config, protocols)
        among = _Among(scorer, self.candidates)
        return rank_pairs(
            among, _restricted(self.dataset, self.candidates), config, protocols
        )

    @property
    def digest(self) -> str:
        """Changes with all that a method may learn from, and with what is ranked."""
        data = self.dataset
        parts = (data.train, data.test, data.impressions)
        pairs = (
            array
            for part in parts
            for array in (part.user, part.video, part.time)
            if array is not None
        )
        columns = (*data.users.columns.items(), *data.videos.columns.items())
        content = hashlib.sha256(repr([name for name, _ in columns]).encode())
        candidates = np.zeros(0) if self.candidates is None else self.candidates
        for array in (*pairs, *(column for _, column in columns), candidates):
            array = np.ascontiguousarray(array)
            content.update(repr((array.shape, array.dtype.str)).encode())
            content.update(array.data)
        return content.hexdigest()


class Setting(NamedTuple):
    """What a method is tuned on and what it is measured on.

    Attributes:
      name: of the files that keep its figures.
      whole: measured in the end.
      part: its training pairs with some of them to validate on; no test pair.
    """

    name: str
    whole: Split
    part: Split


class _Among:
    """The scores of some videos only."""

    def __init__(self, scorer: Scorer, candidates: IntArray) -> None:
        self._scorer, self._columns = scorer, candidates - 1

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, W]."""
        return self._scorer.scores(users)[:, self._columns]


def _restricted(dataset: Dataset, candidates: IntArray) -> Dataset:
    """The same pairs in a catalogue of the candidates alone, counted from 1."""
    row = np.zeros(dataset.videos.size + 2, np.int32)
    row[candidates] = np.arange(1, len(candidates) + 1)

    def kept(pairs: Pairs) -> Pairs:
        inside = row[pairs.video] > 0
        return Pairs(pairs.user[inside], row[pairs.video[inside]])

    return dataclasses.replace(
        dataset,
        videos=Side(dataset.videos.ids[candidates - 1], {}),
        train=kept(dataset.train),
        test=kept(dataset.test),
        impressions=NO_PAIRS,
    )


def table3_setting(
    dataset: Dataset, evaluation: EvaluationConfig, validation_users: int
) -> Setting:
    """The setting of the paper's tables: a share of each user's pairs is ranked."""
    part = Split(dataset.hold_out_validation(0.1, evaluation.seed, evaluation))
    return Setting(
        "table3", Split(dataset), part.of_users(validation_users, evaluation.seed)
    )


def new_users_setting(
    dataset: Dataset, evaluation: EvaluationConfig, validation_users: int
) -> Setting:
    """A share of the users have no pair to learn from; all of theirs are ranked.

    Nor is it known what they were shown.
    """
    whole = _without_users(_everything(dataset), evaluation)
    part = Split(_without_users(whole, evaluation))
    return Setting(
        "new-users", Split(whole), part.of_users(validation_users, evaluation.seed)
    )


def new_videos_setting(
    dataset: Dataset, evaluation: EvaluationConfig, validation_users: int
) -> Setting:
    """A share of the videos have no pair to learn from, nor were they shown.

    Their pairs are ranked among them alone: who of the new videos is for whom? Among
    all videos, the question would be how far popularity is trusted.
    """
    whole = _without_videos(_everything(dataset), evaluation)
    part = _without_videos(whole.dataset, evaluation)
    return Setting(
        "new-videos", whole, part.of_users(validation_users, evaluation.seed)
    )


def _everything(dataset: Dataset) -> Dataset:
    """The dataset with all of its pairs to learn from."""
    train = dataset.train + dataset.test
    return dataclasses.replace(dataset, train=train, test=NO_PAIRS)


def _without_users(dataset: Dataset, evaluation: EvaluationConfig) -> Dataset:
    rows = _held_out(dataset.users, dataset.train.user, evaluation)
    shown = dataset.impressions.where(~np.isin(dataset.impressions.user, rows))
    held_out = np.isin(dataset.train.user, rows)
    return dataclasses.replace(_divided(dataset, held_out), impressions=shown)


def _without_videos(dataset: Dataset, evaluation: EvaluationConfig) -> Split:
    rows = _held_out(dataset.videos, dataset.train.video, evaluation)
    shown = dataset.impressions.where(~np.isin(dataset.impressions.video, rows))
    held_out = np.isin(dataset.train.video, rows)
    return Split(
        dataclasses.replace(_divided(dataset, held_out), impressions=shown), rows
    )


def _held_out(side: Side, observed: IntArray, evaluation: EvaluationConfig) -> IntArray:
    """Rows, ascending, of a share of those that are observed."""
    rows = np.unique(observed)
    fraction, seed = evaluation.held_out_fraction, evaluation.seed
    return rows[hold_out_ids(side.ids[rows - 1], fraction, seed)]


def _divided(dataset: Dataset, held_out: npt.NDArray[np.bool_]) -> Dataset:
    pairs = dataset.train
    return dataclasses.replace(
        dataset, train=pairs.where(~held_out), test=pairs.where(held_out)
    )
