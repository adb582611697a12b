"""A split ranks its test pairs, among all videos or some.

Shapes: B users, V videos.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from tests import worlds
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.dataset import NO_PAIRS, Pairs
from uvcan_tf.evaluation.ranking import FULL, SAMPLED
from uvcan_tf.experiments.setting import (
    Split,
    new_users_setting,
    new_videos_setting,
    table3_setting,
)

CONFIG = EvaluationConfig(sampled_negatives=3, cutoffs=(1, 3))


class ByRow:
    """A video's score is its row."""

    def scores(self, users: np.ndarray) -> np.ndarray:
        return np.tile(np.arange(1, 12, dtype=np.float32), (len(users), 1))


def test_among_candidates_a_rank_counts_only_them() -> None:
    dataset = dataclasses.replace(
        worlds.small(),
        train=Pairs(np.array([1, 1], np.int32), np.array([11, 2], np.int32)),
        test=Pairs(np.array([2, 1], np.int32), np.array([3, 5], np.int32)),
    )
    candidates = np.array([2, 3, 5, 7, 11], np.int32)
    ranks = Split(dataset, candidates).ranks(ByRow(), CONFIG)
    full = ranks.by_protocol[FULL]
    np.testing.assert_array_equal(full.rank, [4, 2])  # 5 7 11 above; 7, as 11 is seen
    np.testing.assert_array_equal(full.rivals, [4, 2])
    assert (ranks.by_protocol[SAMPLED].rank <= full.rank).all()
    whole = Split(dataset).ranks(ByRow(), CONFIG).by_protocol[FULL]
    np.testing.assert_array_equal(whole.rank, [9, 6])


def test_some_users_keep_all_of_their_pairs() -> None:
    split = Split(worlds.small())
    some = split.of_users(2, seed=1).dataset.test
    users = set(some.user.tolist())
    assert len(users) == 2
    assert len(some) == np.isin(split.dataset.test.user, list(users)).sum()
    assert split.of_users(None, seed=1) is split


def test_the_digest_changes_with_the_pairs() -> None:
    dataset = worlds.small()
    other = dataclasses.replace(dataset, train=dataset.test, test=dataset.train)
    assert Split(dataset).digest == Split(worlds.small()).digest
    assert Split(dataset).digest != Split(other).digest


def test_settings_are_tuned_without_a_test_pair() -> None:
    dataset, _, _ = worlds.checkerboard()
    setting = table3_setting(dataset, CONFIG, validation_users=7)
    part = setting.part.dataset
    observed = set(zip(dataset.train.user, dataset.train.video, strict=True))
    learned = set(zip(part.train.user, part.train.video, strict=True))
    ranked = set(zip(part.test.user, part.test.video, strict=True))
    assert learned | ranked <= observed
    assert not learned & ranked
    assert len(set(part.test.user)) == 7
    assert setting.whole.dataset is dataset


def test_new_users_are_neither_learned_from_nor_validated_on() -> None:
    dataset = dataclasses.replace(worlds.checkerboard()[0], test=NO_PAIRS)
    setting = new_users_setting(dataset, CONFIG, validation_users=99)
    whole, part = setting.whole.dataset, setting.part.dataset
    new, validated = set(whole.test.user), set(part.test.user)
    assert len(new) == 9  # a fifth of 48
    assert len(whole.train) + len(whole.test) == len(dataset.train)
    assert not new & set(whole.train.user)
    assert not (new | validated) & set(part.train.user)
    assert not new & validated


def test_of_new_users_and_videos_not_even_what_was_shown_is_known() -> None:
    dataset = dataclasses.replace(worlds.checkerboard()[0], test=NO_PAIRS)
    users, videos = (
        np.arange(1, side.size + 1) for side in (dataset.users, dataset.videos)
    )
    shown = Pairs(*(x.ravel().astype(np.int32) for x in np.meshgrid(users, videos)))
    dataset = dataclasses.replace(dataset, impressions=shown)
    whole = new_users_setting(dataset, CONFIG, validation_users=99).whole.dataset
    assert set(whole.impressions.user) == set(users) - set(whole.test.user)
    split = new_videos_setting(dataset, CONFIG, validation_users=99).whole
    assert set(split.dataset.impressions.video) == set(videos) - set(split.candidates)


def test_new_videos_are_ranked_among_themselves() -> None:
    dataset = dataclasses.replace(worlds.checkerboard()[0], test=NO_PAIRS)
    setting = new_videos_setting(dataset, CONFIG, validation_users=99)
    for split in (setting.whole, setting.part):
        assert set(split.dataset.test.video) == set(split.candidates)
        assert not set(split.candidates) & set(split.dataset.train.video)
    assert not set(setting.whole.candidates) & set(setting.part.candidates)
    assert not set(setting.whole.candidates) & set(setting.part.dataset.train.video)
    assert len(setting.whole.candidates) == 12
