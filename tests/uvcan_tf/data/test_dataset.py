"""Sides have a missing and an unknown row; pairs group by user in ascending order."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest

from uvcan_tf.data.dataset import NO_PAIRS, Dataset, Pairs, Side
from uvcan_tf.data.split import hold_out_share
from uvcan_tf.evaluation_settings import EvaluationConfig
from uvcan_tf.features import Features

USERS, VIDEOS = 7, 31


def ids(prefix: str, size: int) -> npt.NDArray[np.object_]:
    return np.array([f"{prefix}{i}" for i in range(1, size + 1)], object)


def random_pairs() -> Pairs:
    random = np.random.default_rng(3)
    table = random.random([USERS, VIDEOS]) < 0.4
    table[4] = False  # user row 5 has none
    user, video = np.nonzero(table)
    order = random.permutation(len(user))
    user, video = user[order] + 1, video[order] + 1
    return Pairs(user.astype(np.int32), video.astype(np.int32))


PAIRS = random_pairs()


def as_set(pairs: Pairs) -> set[tuple[int, int]]:
    return set(zip(pairs.user.tolist(), pairs.video.tolist(), strict=True))


def of_user(user: int) -> list[int]:
    return sorted(video for u, video in as_set(PAIRS) if u == user)


def dataset(train: Pairs) -> Dataset:
    users, videos = Side(ids("u", USERS), {}), Side(ids("v", VIDEOS), {})
    return Dataset(Features((), ()), users, videos, {}, train)


def test_the_unknown_row_follows_the_last_known_one() -> None:
    side = Side(ids("u", 3), {"gender": np.zeros(5, np.int32)})
    assert (side.size, side.unknown) == (3, 4)


def test_a_column_without_the_two_extra_rows_is_refused_by_name() -> None:
    sentence = "'gender' should have 5 rows: missing, 3 known.* Received: 3"
    with pytest.raises(ValueError, match=sentence):
        Side(ids("u", 3), {"gender": np.zeros(3, np.int32)})


def test_a_mask_selects_pairs() -> None:
    some = PAIRS.where(PAIRS.user == 2)
    assert as_set(some) == {(2, video) for video in of_user(2)}
    assert len(some) == len(of_user(2))


def test_a_sum_has_the_pairs_of_both_in_order() -> None:
    both = Pairs(np.array([1, 2]), np.array([3, 5])) + Pairs(
        np.array([7]), np.array([11])
    )
    assert both.user.tolist() == [1, 2, 7]
    assert both.video.tolist() == [3, 5, 11]


def test_every_row_number_has_its_videos_in_ascending_order() -> None:
    rows = PAIRS.by_user(USERS)
    for user in range(USERS + 2):
        assert rows.of(user).tolist() == of_user(user)


def test_padded_rows_are_as_wide_as_the_longest_asked_for() -> None:
    users = np.array([3, 5, 0, 3, USERS + 1], np.int32)
    padded = PAIRS.by_user(USERS).padded(users, 99)
    assert padded.dtype == np.int32
    assert padded.shape == (5, len(of_user(3)))
    for row, user in zip(padded.tolist(), users, strict=True):
        assert [v for v in row if v != 99] == of_user(int(user))
        assert row == sorted(row)


def test_no_pairs_pad_to_no_columns() -> None:
    assert NO_PAIRS.by_user(USERS).padded(np.array([1, 2]), 99).shape == (2, 0)
    assert PAIRS.by_user(USERS).padded(np.array([5]), 99).shape == (1, 0)


def test_trained_rows_are_those_of_training_pairs() -> None:
    some = dataset(PAIRS.where(PAIRS.video % 2 == 1))
    trained_users = [any(u == i for u, _ in as_set(some.train)) for i in range(9)]
    trained_videos = [any(v == i for _, v in as_set(some.train)) for i in range(33)]
    assert some.trained_users.tolist() == trained_users
    assert some.trained_videos.tolist() == trained_videos
    assert not some.trained_users[[0, 5, USERS + 1]].any()


def test_validation_takes_its_share_of_training_pairs_alone() -> None:
    whole = dataset(PAIRS)
    parts = whole.hold_out_validation(0.25, 7, EvaluationConfig())
    assert as_set(parts.train) | as_set(parts.test) == as_set(PAIRS)
    assert not as_set(parts.train) & as_set(parts.test)
    for user in range(1, USERS + 1):
        held_out = (parts.test.user == user).sum()
        assert len(of_user(user)) // 4 <= held_out <= -(-len(of_user(user)) // 4)
    assert whole.train is PAIRS


def test_validation_follows_the_rule_of_the_split_by_id() -> None:
    parts = dataset(PAIRS).hold_out_validation(0.25, 7, EvaluationConfig())
    users, videos = ids("u", USERS)[PAIRS.user - 1], ids("v", VIDEOS)[PAIRS.video - 1]
    chosen = PAIRS.where(hold_out_share(users, videos, 0.25, 7))
    assert as_set(parts.test) == as_set(chosen)


@pytest.mark.parametrize("split", ["random", "last", "time"])
def test_users_whom_validation_leaves_out_keep_their_pairs(split: str) -> None:
    """But where these would tell of the time that is validated on."""
    time = None if split == "random" else np.arange(len(PAIRS))
    shown = Pairs(*(np.arange(1, USERS + 1, dtype=np.int32),) * 2, np.full(USERS, 999))
    pairs = Pairs(PAIRS.user, PAIRS.video, time)
    whole = dataclasses.replace(dataset(pairs), impressions=shown)
    config = EvaluationConfig(split=split)
    every, some = (whole.hold_out_validation(0.5, 7, config, n) for n in (None, 2))
    measured = np.unique(some.test.user)
    assert len(measured) == 2 < len(np.unique(every.test.user))
    asked = every.test.where(np.isin(every.test.user, measured))
    assert as_set(some.test) == as_set(asked)
    left = as_set(every.train) if split == "time" else as_set(PAIRS) - as_set(asked)
    assert as_set(some.train) == left
    if split == "last":
        known = set(some.impressions.user.tolist())
        assert known == set(range(1, USERS + 1)) - set(measured.tolist())


def test_validation_is_the_last_share_where_pairs_have_times() -> None:
    time = np.random.default_rng(2).permutation(len(PAIRS)).astype(np.int64)
    timed = Pairs(PAIRS.user, PAIRS.video, time)
    shown = Pairs(*(np.arange(1, 4, dtype=np.int32),) * 2, np.array([0, 5, 10**6]))
    whole = dataclasses.replace(dataset(timed), impressions=shown)
    parts = whole.hold_out_validation(0.25, 7, EvaluationConfig())
    assert len(parts.test) == len(PAIRS) // 4
    assert parts.train.time is not None and parts.test.time is not None
    assert parts.train.time.max() < parts.test.time.min()
    assert as_set(parts.train) | as_set(parts.test) == as_set(PAIRS)
    assert as_set(parts.impressions) == {(1, 1), (2, 2)}


@pytest.mark.parametrize("last", [1, 2])
@pytest.mark.parametrize("fraction", [0.05, 0.5])
def test_validation_is_the_last_likes_of_users_where_the_test_is(
    last: int, fraction: float
) -> None:
    """Rows that stand user after user, as a log without times is numbered."""
    order = np.argsort(PAIRS.user, kind="stable")
    pairs = Pairs(PAIRS.user[order], PAIRS.video[order], np.arange(len(PAIRS)))
    shown = Pairs(pairs.user, np.full(len(PAIRS), VIDEOS, np.int32), pairs.time)
    whole = dataclasses.replace(dataset(pairs), impressions=shown)
    config = EvaluationConfig(split="last", last_likes=last)
    parts = whole.hold_out_validation(fraction, 7, config)
    measured = set(parts.test.user.tolist())
    for user in measured:
        rows = np.flatnonzero(pairs.user == user)
        held_out = parts.test.where(parts.test.user == user)
        assert held_out.video.tolist() == pairs.video[rows[-last:]].tolist()
        kept = parts.impressions.where(parts.impressions.user == user)
        assert len(kept) == len(rows) - last  # what was shown before the first of them
    others = parts.train.where(~np.isin(parts.train.user, list(measured)))
    assert len(others) == np.isin(pairs.user, list(measured), invert=True).sum()
    wanted = min(6 * last, int(fraction * len(PAIRS)))
    assert wanted - last <= len(parts.test) <= wanted
    assert len(parts.train) + len(parts.test) == len(PAIRS)


def test_pairs_keep_their_times_only_together() -> None:
    timed = Pairs(PAIRS.user, PAIRS.video, np.arange(len(PAIRS)))
    assert (timed + timed).time is not None
    assert (timed + PAIRS).time is None
