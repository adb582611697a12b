"""What a step gives, asks and draws; the loss itself is tested with its baseline."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.uvcan_tf.baselines.communities import USERS, VIDEOS, communities
from uvcan_tf.config import HistorySettings, TrainingConfig
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, Pairs
from uvcan_tf.model.histories import Histories
from uvcan_tf.model.shared_softmax import SharedCandidates, SharedStep
from uvcan_tf.network.liked_videos import Likes

WORLD = communities()
WIDE = HistorySettings(uniform=7, users=11)
SETTINGS = HistorySettings(uniform=7, candidates=19, users=11)


def shared(
    dataset: Dataset, settings: HistorySettings = SETTINGS, skipped: Pairs = NO_PAIRS
) -> SharedCandidates:
    known = dataset.trained_videos
    histories = Histories(dataset.train, dataset.users.size, known)
    return SharedCandidates(dataset, histories, settings, 3, skipped)


def step(number: int, settings: HistorySettings = SETTINGS) -> SharedStep:
    users = tf.constant([1, 24, 30])
    return shared(WORLD, settings).draw(users, tf.constant(number, tf.int64))


def listed(likes: Likes) -> set[tuple[int, int]]:
    return set(zip(likes.user.numpy(), likes.video.numpy(), strict=True))


def test_every_like_is_either_given_or_asked_for() -> None:
    for number in range(20):
        drawn = step(number)
        given, asked = listed(drawn.given), listed(drawn.asked)
        assert not given & asked
        own = np.isin(WORLD.train.user, [1, 24, 30])
        assert len(given | asked) == own.sum()


def test_likes_are_split_anew_at_every_step() -> None:
    assert listed(step(0).given) != listed(step(1).given)
    assert listed(step(1).given) == listed(step(1).given)


def test_a_step_asks_for_something_where_every_like_is_given() -> None:
    drawn = step(0, HistorySettings(given=1.0, uniform=7))
    assert len(listed(drawn.asked)) == 1


def test_the_chance_of_a_candidate_is_what_is_counted() -> None:
    """Over many steps of users drawn uniformly, as an epoch does."""
    drawer, draw = shared(WORLD, WIDE), np.random.default_rng(2)
    step_of = tf.function(drawer.draw, autograph=False, reduce_retracing=True)
    counts, steps = np.zeros(VIDEOS + 3), 400
    for number in range(steps):
        users = tf.constant(draw.permutation(USERS)[:11] + 1, tf.int32)
        drawn = step_of(users, tf.constant(number, tf.int64))
        candidates = drawn.candidates.numpy()
        assert len(set(candidates)) == len(candidates)
        counts[candidates] += 1
        chance = dict(zip(candidates, np.exp(drawn.log_q), strict=True))
        nobody = chance.get(VIDEOS + 1, 7 / (VIDEOS + 1))  # drawn uniformly alone
        assert nobody == pytest.approx(7 / (VIDEOS + 1), rel=1e-5)
    assert counts[0] == counts[-1] == 0
    assert counts[VIDEOS + 1] / steps == pytest.approx(7 / (VIDEOS + 1), abs=0.08)
    liked = [v for v in chance if v <= VIDEOS]
    expected = np.array([chance[v] for v in liked])
    np.testing.assert_allclose(counts[liked] / steps, expected, atol=0.1)


def test_few_users_share_a_step_where_there_is_little_data() -> None:
    assert shared(WORLD, HistorySettings()).at_once == 8
    assert shared(WORLD, HistorySettings(users=128)).at_once == 128


def test_rivals_are_drawn_by_the_softmax_and_never_what_is_no_rival() -> None:
    """What a user was given, and what is never drawn: here every video up to 9."""
    low = np.arange(1, 10, dtype=np.int32)
    skipped = Pairs(np.repeat(np.int32([1, 24]), 9), np.tile(low, 2))
    drawer, draws = shared(WORLD, SETTINGS, skipped), 4000
    number = tf.constant(4, tf.int64)
    drawn = drawer.draw(tf.constant([1, 24, 30]), number)
    candidates = drawn.candidates.numpy()
    odds = np.random.default_rng(5).normal(0, 2, (3, len(candidates)))
    videos, correction = drawer.rivals(
        drawn, drawn.asked, tf.constant(odds, tf.float32), draws, number
    )
    videos = videos.numpy()
    assert not correction.numpy().any()  # the odds say it already
    closed = listed(drawn.given) | {(user, v) for user in (0, 1) for v in low}
    for user, own, row in zip(
        drawn.asked.user.numpy(), drawn.asked.video.numpy(), videos, strict=True
    ):
        assert row[0] == own
        expected = np.exp(odds[user])
        expected[[(user, v) in closed for v in candidates]] = 0
        found = (row[1:, None] == candidates).mean(axis=0)
        np.testing.assert_allclose(found, expected / expected.sum(), atol=0.04)


def test_without_odds_rivals_are_uniform_and_log_q_corrects_for_them() -> None:
    drawer, number = shared(WORLD), tf.constant(4, tf.int64)
    drawn = drawer.draw(tf.constant([1, 24, 30]), number)
    videos, correction = drawer.rivals(drawn, drawn.asked, None, 4000, number)
    log_q = dict(zip(drawn.candidates.numpy(), drawn.log_q.numpy(), strict=True))
    given = listed(drawn.given)
    for user, row, less in zip(
        drawn.asked.user.numpy(), videos.numpy(), correction.numpy(), strict=True
    ):
        assert [log_q[video] for video in row] == less.tolist()
        left = [v for v in log_q if (user, v) not in given]
        found = (row[1:, None] == left).mean(axis=0)
        np.testing.assert_allclose(found, 1 / len(left), atol=0.04)


def test_no_more_likes_are_rated_than_a_step_asks_for() -> None:
    asked = len(WORLD.train) * 0.3 * 11 / len(np.unique(WORLD.train.user))
    training = shared(WORLD).training
    assert training(TrainingConfig(batch_size=2048)).batch_size == round(asked)
    assert training(TrainingConfig(batch_size=2)).batch_size == 2
