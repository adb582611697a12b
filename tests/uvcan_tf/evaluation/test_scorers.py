"""Skipped impressions last: by hand, on scores that belong to someone else.

Shapes: B users, V videos.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from tests import worlds
from uvcan_tf.data.dataset import Pairs
from uvcan_tf.evaluation.scorers import SkippedImpressionsLast, ranked

SKIPPED = Pairs(np.array([1, 1, 3], np.int32), np.array([2, 5, 11], np.int32))
DATASET = dataclasses.replace(worlds.small(), impressions=SKIPPED)


class Fixed:
    """A scorer that hands out rows of its own table, and never a copy."""

    def __init__(self) -> None:
        self.table = np.linspace(0, 1, 55, dtype=np.float32).reshape(5, 11)
        self.table.flags.writeable = False

    def scores(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        return self.table[users[0] - 1 : users[-1]]


def test_skipped_videos_fall_below_all_others_and_keep_their_order() -> None:
    scores = SkippedImpressionsLast(Fixed(), DATASET).scores(np.array([1, 2, 3], "i4"))
    order = [(np.argsort(-row) + 1).tolist() for row in scores]
    assert order == [
        [11, 10, 9, 8, 7, 6, 4, 3, 1, 5, 2],
        [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
        [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 11],
    ]


def test_the_scores_of_the_scorer_below_stay_as_they_are() -> None:
    fixed = Fixed()
    before = fixed.table.copy()
    last = SkippedImpressionsLast(fixed, DATASET)
    one, same = (last.scores(np.array([1, 2, 3], np.int32)) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    np.testing.assert_array_equal(fixed.table, before)


def test_nothing_changes_where_it_is_not_asked_for() -> None:
    fixed = Fixed()
    assert ranked(fixed, DATASET, skipped_last=False) is fixed
