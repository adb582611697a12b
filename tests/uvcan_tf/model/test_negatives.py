"""Unobserved videos are drawn exactly: never an observed one, all others alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import scipy.stats
import tensorflow as tf

from uvcan_tf.data.dataset import NO_PAIRS, Pairs
from uvcan_tf.model.losses import cross_entropies
from uvcan_tf.model.negatives import MixedSampler, UnobservedSampler

USERS, VIDEOS = 7, 31
ALL_BUT_ONE, NONE = 3, 5  # user rows: all but video 17 observed, and nothing observed


def world() -> npt.NDArray[np.bool_]:
    """Whether each user row observed each video row, [USERS + 2, VIDEOS + 1]."""
    observed = np.random.default_rng(2).random([USERS + 2, VIDEOS + 1]) < 0.4
    observed[:, 0] = False
    observed[[0, NONE, USERS + 1]] = False
    observed[ALL_BUT_ONE, 1:] = np.arange(1, VIDEOS + 1) != 17
    return observed


def shuffled_pairs(observed: npt.NDArray[np.bool_]) -> Pairs:
    user, video = np.nonzero(observed)
    order = np.random.default_rng(3).permutation(len(user))
    return Pairs(user[order].astype(np.int32), video[order].astype(np.int32))


OBSERVED = world()
PAIRS = shuffled_pairs(OBSERVED)


def drawn(user: npt.ArrayLike, size: int, seed: int = 11) -> npt.NDArray[np.int32]:
    sampler = UnobservedSampler(PAIRS, USERS, VIDEOS)
    return sampler(tf.constant(user), size, tf.constant([seed, 1])).numpy()


def unobserved(user: int) -> list[int]:
    return [v for v in range(1, VIDEOS + 1) if not OBSERVED[user, v]]


def uniform(draws: npt.NDArray[np.int32], among: list[int]) -> bool:
    counts = [int((draws == video).sum()) for video in among]
    assert sum(counts) == draws.size
    return scipy.stats.chisquare(counts).pvalue > 1e-3


def test_no_observed_pair_is_ever_drawn() -> None:
    user = np.arange(20_000 // 5) % (USERS + 2)
    draws = drawn(user, 5)
    assert draws.shape == (4_000, 5)
    assert 1 <= draws.min() and draws.max() <= VIDEOS
    for u, row in zip(user, draws, strict=True):
        for video in row:
            assert not OBSERVED[u, video], (u, video)


def test_the_only_unobserved_video_is_drawn_every_time() -> None:
    assert set(drawn([ALL_BUT_ONE], 101)[0]) == {17}


@pytest.mark.parametrize("user", [0, 1, 2, 4, NONE, 6, 7, USERS + 1])
def test_each_unobserved_video_is_equally_likely(user: int) -> None:
    assert uniform(drawn([user] * 40, 101), unobserved(user))


def test_a_seed_fixes_the_draw_and_another_changes_it() -> None:
    np.testing.assert_array_equal(drawn([1, 2], 7), drawn([1, 2], 7))
    assert (drawn([1, 2], 7) != drawn([1, 2], 7, seed=12)).any()


def test_the_draw_works_inside_a_graph() -> None:
    sampler = UnobservedSampler(PAIRS, USERS, VIDEOS)
    traced = tf.function(lambda user: sampler(user, 5, tf.constant([11, 1])))
    np.testing.assert_array_equal(traced(tf.constant([1, 2])), drawn([1, 2], 5))


def test_a_world_without_pairs_draws_any_video() -> None:
    sampler = UnobservedSampler(NO_PAIRS, USERS, VIDEOS)
    draws = sampler(tf.constant([1] * 40), 101, tf.constant([1, 2])).numpy()
    assert uniform(draws, list(range(1, VIDEOS + 1)))


def test_a_user_that_observed_everything_is_refused_by_row() -> None:
    everything = Pairs(np.array([2, 2, 2], np.int32), np.array([3, 1, 2], np.int32))
    with pytest.raises(ValueError, match="one of the 3 videos.* user row 2 has 3"):
        UnobservedSampler(everything, 5, 3)


def test_a_share_of_the_samples_follows_popularity() -> None:
    observed = Pairs(np.array([1, 2, 3, 4], np.int32), np.array([3, 3, 3, 5], np.int32))
    sampler = MixedSampler(observed, users=7, videos=5, popular=0.5)
    drawn = sampler(tf.fill([3000], 7), 4, tf.constant([2, 11], tf.int64)).numpy()
    counts = np.array([1, 1, 4, 1, 2]) / 9
    expected = 0.5 * counts + 0.5 / 5
    found = np.bincount(drawn.ravel(), minlength=6)[1:] / drawn.size
    np.testing.assert_allclose(found, expected, atol=0.015)


def test_the_correction_is_how_much_more_often_a_video_is_drawn() -> None:
    observed = Pairs(np.array([1, 2, 3, 4], np.int32), np.array([3, 3, 3, 5], np.int32))
    sampler = MixedSampler(observed, users=7, videos=5, popular=0.25)
    correction = sampler.correction(tf.constant([1]), tf.constant([[3, 5, 1]])).numpy()
    expected = [[np.log(0.75 + 0.25 * 5 * share) for share in (4 / 9, 2 / 9, 1 / 9)]]
    np.testing.assert_allclose(correction, expected, rtol=1e-6)


def test_a_sample_that_is_observed_has_no_gradient() -> None:
    observed = Pairs(np.array([1, 1], np.int32), np.array([2, 3], np.int32))
    sampler = MixedSampler(observed, users=2, videos=4, popular=0.5)
    logits = tf.constant([[0.5, 2.0, 1.0]])
    correction = sampler.correction(tf.constant([1]), tf.constant([[2, 3, 4]]))
    for softmax in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = tf.reduce_sum(cross_entropies(logits - correction, softmax))
        assert (tape.gradient(loss, logits).numpy()[0] != 0).tolist() == [True, 0, True]
