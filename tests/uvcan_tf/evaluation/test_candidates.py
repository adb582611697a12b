"""The rivals of a held-out pair: distinct, unobserved, the same for every method."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from tests.uvcan_tf.model.test_negatives import (
    ALL_BUT_ONE,
    NONE,
    OBSERVED,
    PAIRS,
    USERS,
    VIDEOS,
    unobserved,
)
from uvcan_tf.evaluation.candidates import sampled_candidates


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
