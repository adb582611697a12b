"""What is held out depends on the pairs of a user and on the seed, on nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from uvcan_tf.data.split import (
    hold_out,
    hold_out_counts,
    hold_out_ids,
    hold_out_share,
    last_share,
)
from uvcan_tf.errors import DataError

COUNTS = {"a": 3, "b": 5, "c": 11, "d": 1, "e": 100}
USERS = np.array([user for user, n in COUNTS.items() for _ in range(n)])
VIDEOS = np.array([str(i) for n in COUNTS.values() for i in range(n)])


def held(
    rows: np.ndarray, fraction: float = 0.2, seed: int = 1
) -> set[tuple[str, str]]:
    users, videos = USERS[rows], VIDEOS[rows]
    chosen = hold_out(users, videos, fraction, seed)
    return set(zip(users[chosen], videos[chosen], strict=True))


ALL = np.arange(len(USERS))


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (0.2, {"a": 0, "b": 1, "c": 2, "d": 0, "e": 20}),
        (0.29, {"a": 0, "b": 1, "c": 3, "d": 0, "e": 29}),
        (0.5, {"a": 1, "b": 2, "c": 5, "d": 0, "e": 50}),
    ],
)
def test_each_user_gives_the_floor_of_the_fraction(
    fraction: float, expected: dict[str, int]
) -> None:
    chosen = [user for user, _ in held(ALL, fraction)]
    assert {user: chosen.count(user) for user in COUNTS} == expected


def test_the_order_of_rows_does_not_matter() -> None:
    assert held(np.random.default_rng(7).permutation(ALL)) == held(ALL)


def test_partitions_by_user_give_the_same_pairs() -> None:
    parts = [
        held(np.flatnonzero(np.isin(USERS, part)))
        for part in (["a", "e"], ["b", "c", "d"])
    ]
    assert parts[0] | parts[1] == held(ALL)


def test_object_arrays_give_the_same_pairs() -> None:
    chosen = hold_out(USERS.astype(object), VIDEOS.astype(object), 0.2, 1)
    np.testing.assert_array_equal(chosen, hold_out(USERS, VIDEOS, 0.2, 1))


def test_another_seed_holds_out_other_pairs() -> None:
    assert held(ALL, seed=2) != held(ALL, seed=1)


def test_users_with_the_same_videos_differ() -> None:
    users = np.repeat(["a", "b"], 100)
    videos = np.tile(np.arange(100).astype(str), 2)
    first, second = hold_out(users, videos, 0.5, 1).reshape(2, 100)
    assert 30 < (first & second).sum() + (~first & ~second).sum() < 70


def test_every_video_is_held_out_about_equally_often() -> None:
    users = np.repeat(np.arange(500).astype(str), 20)
    videos = np.tile(np.arange(20).astype(str), 500)
    times = hold_out(users, videos, 0.2, 3).reshape(500, 20).sum(0)
    assert times.sum() == 2000
    assert (abs(times - 100) < 45).all()  # five standard deviations


def test_the_choice_is_pinned() -> None:
    """Another hash would silently make old and new models incomparable."""
    small = {pair for pair in held(ALL) if pair[0] in "bc"}
    assert small == {("b", "0"), ("c", "3"), ("c", "7")}


def test_no_pairs_hold_out_none() -> None:
    assert hold_out(np.array([], str), np.array([], str), 0.2, 1).size == 0


def test_the_report_counts_users_with_too_few() -> None:
    report = hold_out_counts(USERS, hold_out(USERS, VIDEOS, 0.2, 1), 0.2)
    assert (report.users, report.users_with_too_few) == (5, 2)
    assert (report.train_pairs, report.held_out_pairs) == (97, 23)
    assert "2 of 5 users have fewer than 5 pairs and keep all" in str(report)


def test_nothing_held_out_is_refused_with_the_rule() -> None:
    none = np.zeros(4, bool)
    with pytest.raises(DataError, match="have 5 liked videos.* none of 2 users"):
        hold_out_counts(np.array(["a", "a", "b", "b"]), none, 0.2).required()


IDS = np.array([f"v{i}" for i in range(101)])


def test_a_share_of_the_ids_is_held_out_whatever_their_order() -> None:
    chosen = set(IDS[hold_out_ids(IDS, 0.2, 1)])
    assert len(chosen) == 20
    shuffled = np.random.default_rng(5).permutation(IDS)
    assert set(shuffled[hold_out_ids(shuffled, 0.2, 1)]) == chosen
    assert set(IDS[hold_out_ids(IDS, 0.2, 2)]) != chosen


def test_a_larger_share_holds_out_the_same_ids_and_more() -> None:
    assert (hold_out_ids(IDS, 0.5, 1) >= hold_out_ids(IDS, 0.2, 1)).all()


def skewed(users: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of users of whom most have fewer than ten."""
    counts = np.random.default_rng(5).geometric(0.2, users) + 1
    user = np.repeat(np.arange(users).astype(str), counts)
    return user, np.arange(len(user)).astype(str)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.29, 0.5])
@pytest.mark.parametrize("users", [1, 7, 1000])
def test_the_share_of_all_pairs_is_the_stated_one(users: int, fraction: float) -> None:
    user, video = skewed(users)
    chosen = hold_out_share(user, video, fraction, 3)
    assert abs(chosen.sum() - fraction * len(user)) <= 1


def test_each_user_gives_the_number_below_or_above_its_share() -> None:
    user, video = skewed(300)
    chosen = hold_out_share(user, video, 0.1, 3)
    for name in set(user):
        share = 0.1 * (user == name).sum()
        assert int(share) <= chosen[user == name].sum() <= int(share) + 1


def test_the_rounding_favours_no_place_in_the_table() -> None:
    user = np.repeat(np.arange(1000).astype(str), 5)
    video = np.arange(len(user)).astype(str)
    of_user = hold_out_share(user, video, 0.1, 3).reshape(1000, 5).sum(axis=1)
    assert 200 < of_user[:500].sum() < 300


def test_the_share_depends_on_no_order_and_on_the_seed() -> None:
    user, video = skewed(50)
    chosen = set(video[hold_out_share(user, video, 0.1, 3)])
    shuffle = np.random.default_rng(7).permutation(len(user))
    again = hold_out_share(user[shuffle], video[shuffle], 0.1, 3)
    assert set(video[shuffle][again]) == chosen
    assert set(video[hold_out_share(user, video, 0.1, 4)]) != chosen


def test_an_only_pair_is_never_held_out() -> None:
    user = np.array(["a", "b", "c", "d", "d"])
    chosen = hold_out_share(user, np.arange(5).astype(str), 0.5, 1)
    assert (user[chosen].tolist(), hold_out_share(user[:0], user[:0], 0.5, 1).size) == (
        ["d"],
        0,
    )


@pytest.mark.parametrize(
    ("times", "fraction", "held_out", "moment"),
    [
        ([5, 1, 9, 3], 0.5, [True, False, True, False], 5),
        ([5, 1, 9, 3], 0.25, [False, False, True, False], 9),
        ([2, 7, 7, 7], 0.25, [False, True, True, True], 7),
        ([4, 4, 4, 4], 0.5, [False] * 4, np.iinfo(np.int64).max),
        ([5, 1, 9, 3], 0.2, [False] * 4, np.iinfo(np.int64).max),
        ([], 0.5, [], np.iinfo(np.int64).max),
    ],
)
def test_the_last_share_is_of_whole_moments(
    times: list[int], fraction: float, held_out: list[bool], moment: int
) -> None:
    chosen, first = last_share(np.array(times, np.int64), fraction)
    assert (chosen.tolist(), first) == (held_out, moment)
