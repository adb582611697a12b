"""Unobserved videos are drawn exactly: never an observed one, all others alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import scipy.stats
import tensorflow as tf

from uvcan_tf.data.dataset import NO_PAIRS, Pairs
from uvcan_tf.evaluation.candidates import (
    MixedSampler,
    UnobservedSampler,
    sampled_candidates,
)
from uvcan_tf.model.losses import errors

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


def candidates(
    user: npt.ArrayLike, video: npt.ArrayLike, size: int, seed: int = 1
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    rows = np.asarray(user, np.int32)
    observed = PAIRS.by_user(USERS).padded(rows, VIDEOS + 1)
    rivals, inside = sampled_candidates(
        tf.constant(rows),
        tf.constant(video, tf.int32),
        tf.constant(observed),
        VIDEOS,
        size,
        seed,
    )
    return rivals.numpy(), inside.numpy()


def test_padded_rows_list_the_observed_videos_in_order() -> None:
    padded = PAIRS.by_user(USERS).padded(np.array([2, ALL_BUT_ONE, NONE]), VIDEOS + 1)
    assert padded.shape == (3, VIDEOS - 1)
    for row, user in zip(padded, [2, ALL_BUT_ONE, NONE], strict=True):
        expected = [v for v in range(1, VIDEOS + 1) if OBSERVED[user, v]]
        assert list(row) == expected + [VIDEOS + 1] * (VIDEOS - 1 - len(expected))


@pytest.mark.parametrize("size", [1, 7, VIDEOS, 101])
def test_candidates_are_distinct_and_unobserved(size: int) -> None:
    user = list(range(1, USERS + 1)) * 3
    video = [int(np.flatnonzero(row)[0]) if row.any() else 1 for row in OBSERVED[user]]
    rivals, inside = candidates(user, video, size)
    assert rivals.shape == inside.shape == (len(user), size)
    for u, row, there in zip(user, rivals, inside, strict=True):
        kept = row[there].tolist()
        assert len(set(kept)) == len(kept) == min(size, len(unobserved(u)))
        assert set(kept) <= set(unobserved(u))


@pytest.mark.parametrize("size", [7, VIDEOS, 101])
def test_inside_ends_exactly_where_no_unobserved_video_is_left(size: int) -> None:
    _, inside = candidates(list(range(1, USERS + 1)), [1] * USERS, size)
    for user, row in enumerate(inside, start=1):
        assert list(row) == [i < len(unobserved(user)) for i in range(size)]


def test_candidates_do_not_depend_on_the_batch_or_its_order() -> None:
    user, video = [1, ALL_BUT_ONE, 2, NONE, 2], [3, 1, 5, 7, 11]
    together, inside = candidates(user, video, 7)
    back, _ = candidates(user[::-1], video[::-1], 7)
    np.testing.assert_array_equal(back[::-1][inside], together[inside])
    for i, row in enumerate(together):
        alone, _ = candidates(user[i : i + 1], video[i : i + 1], 7)
        np.testing.assert_array_equal(alone[0][inside[i]], row[inside[i]])


def test_candidates_change_with_the_pair_and_with_the_seed() -> None:
    base, _ = candidates([NONE], [3], 11)
    assert (candidates([NONE], [5], 11)[0] != base).any()
    assert (candidates([0], [3], 11)[0] != base).any()
    assert (candidates([NONE], [3], 11, seed=2)[0] != base).any()


def test_fewer_candidates_are_the_first_of_more() -> None:
    np.testing.assert_array_equal(
        candidates([2], [3], 5)[0], candidates([2], [3], 11)[0][:, :5]
    )


@pytest.mark.parametrize("like", [2, NONE])
def test_over_users_every_unobserved_video_is_equally_often_a_candidate(
    like: int,
) -> None:
    pairs, size, among = 2_000, 5, unobserved(like)
    random = np.random.default_rng(7)
    observed = PAIRS.by_user(USERS).padded(np.full(pairs, like), VIDEOS + 1)
    rivals, inside = sampled_candidates(
        tf.constant(random.integers(1, 500, pairs), tf.int32),
        tf.constant(random.integers(1, VIDEOS + 1, pairs), tf.int32),
        tf.constant(observed),
        VIDEOS,
        size,
        1,
    )
    assert inside.numpy().all()
    share = size / len(among)
    deviation = np.sqrt(pairs * share * (1 - share))
    counts = np.array([(rivals.numpy() == video).sum() for video in among])
    assert counts.sum() == pairs * size
    assert (abs(counts - pairs * share) < 5 * deviation).all()


def test_one_users_pairs_together_meet_every_unobserved_video() -> None:
    rivals, _ = candidates([2] * 200, np.arange(200), 5)
    assert set(rivals.ravel()) == set(unobserved(2))


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
            loss = tf.reduce_sum(errors(logits - correction, softmax))
        assert (tape.gradient(loss, logits).numpy()[0] != 0).tolist() == [True, 0, True]
