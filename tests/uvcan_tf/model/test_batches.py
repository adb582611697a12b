"""What a step trains on, counted by hand over whole epochs.

Shapes: B observed pairs, S negatives of each.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from tests import worlds
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, Pairs
from uvcan_tf.model.batches import Batches, trainable

DATASET = worlds.small()
TRAINING = worlds.SMALL_CONFIG.training
PAIRS = len(DATASET.train)
STEPS = -(-PAIRS // TRAINING.batch_size)


def batches(
    id_dropout: float = 0.0, never_drawn: Pairs = NO_PAIRS, **settings: Any
) -> Batches:
    training = dataclasses.replace(TRAINING, **settings)
    return Batches(DATASET, training, id_dropout, never_drawn)


def epoch(drawer: Batches, number: int) -> tuple[list[tuple[int, int]], set[Any]]:
    """The observed pairs of an epoch in their order, and all negatives."""
    observed, negatives = [], set()
    for step in range(STEPS):
        first = step * TRAINING.batch_size
        last = min(first + TRAINING.batch_size, PAIRS)
        positions = tf.range(first, last, dtype=tf.int64)
        at = tf.constant(number * STEPS + step, tf.int64)
        drawn = drawer.draw(positions, at, drop_ids=False)
        for user, videos in zip(*map(np.array, drawn[:2]), strict=True):
            observed.append((int(user), int(videos[0])))
            negatives |= {(int(user), int(video)) for video in videos[1:]}
    return observed, negatives


def as_set(pairs: Pairs) -> set[tuple[int, int]]:
    return set(zip(pairs.user.tolist(), pairs.video.tolist(), strict=True))


def test_an_epoch_meets_every_pair_once_and_each_epoch_in_another_order() -> None:
    first, second = (epoch(batches(), number)[0] for number in (0, 1))
    assert sorted(first) == sorted(second) == sorted(as_set(DATASET.train))
    assert first != second


def test_the_same_step_of_the_same_seed_is_the_same_batch() -> None:
    one, same = (epoch(batches(), 1) for _ in range(2))
    assert one == same
    assert epoch(batches(seed=TRAINING.seed + 1), 1) != one


def test_negatives_are_neither_observed_nor_among_what_is_never_drawn() -> None:
    user = DATASET.train.user[0]
    liked = set(DATASET.train.video[DATASET.train.user == user].tolist())
    other = [v for v in range(1, DATASET.videos.size + 1) if v not in liked]
    kept, forbidden = other[:2], other[2:]
    never = Pairs(
        np.full(len(forbidden), user, np.int32), np.array(forbidden, np.int32)
    )
    drawer = batches(never_drawn=never)
    drawn = set().union(*(epoch(drawer, number)[1] for number in range(8)))
    assert not drawn & as_set(DATASET.train)
    assert {video for u, video in drawn if u == user} == set(kept)


def test_a_user_whom_nothing_would_be_left_gets_the_forbidden_ones() -> None:
    user = DATASET.train.user[0]
    liked = set(DATASET.train.video[DATASET.train.user == user].tolist())
    other = [v for v in range(1, DATASET.videos.size + 1) if v not in liked]
    never = Pairs(np.full(len(other), user, np.int32), np.array(other, np.int32))
    drawn = epoch(batches(never_drawn=never), 0)[1]
    assert {video for u, video in drawn if u == user} <= set(other)


def test_a_stated_share_of_ids_is_dropped_on_either_side() -> None:
    drawer, positions = batches(id_dropout=0.3), tf.range(PAIRS, dtype=tf.int64)
    dropped = []
    for step in range(200):
        drawn = drawer.draw(positions, tf.constant(step, tf.int64), drop_ids=True)
        users = drawn.known_users.numpy() == DATASET.users.unknown
        videos = drawn.known_videos.numpy() == DATASET.videos.unknown
        dropped.append([users.mean(), videos.mean()])
        kept = np.where(users, drawn.users.numpy()[:, None], drawn.known_users)
        np.testing.assert_array_equal(kept[:, 0], drawn.users)
    # 200 x 17 draws: five standard deviations are .04.
    assert np.abs(np.mean(dropped, axis=0) - 0.3).max() < 0.04


def test_only_popular_negatives_need_a_correction() -> None:
    positions = tf.range(PAIRS, dtype=tf.int64)
    step = tf.constant(0, tf.int64)
    plain = batches().draw(positions, step, drop_ids=False)
    assert not plain.correction.numpy().any()
    mixed = batches(popular_negatives=0.5).draw(positions, step, drop_ids=False)
    assert mixed.correction.numpy().any()


def test_who_likes_everything_has_no_trainable_pair() -> None:
    everything = np.arange(1, DATASET.videos.size + 1, dtype=np.int32)
    user = np.full(len(everything), 5, np.int32)
    dataset: Dataset = dataclasses.replace(
        DATASET, train=DATASET.train + Pairs(user, everything)
    )
    assert as_set(trainable(dataset)) == as_set(DATASET.train)
