"""People whom nobody saw are rated by the likes they give, the same asked of all."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests import worlds
from uvcan_tf.config import ConfigError, EvaluationConfig
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, Pairs
from uvcan_tf.experiments import likes_given
from uvcan_tf.experiments.cells import Cells
from uvcan_tf.experiments.likes_given import Told, told

GIVEN = (1, 3, 6)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likes_given, "GIVEN", GIVEN)


def world(dataset: Dataset) -> Told:
    evaluation = EvaluationConfig(sampled_negatives=7)
    return told(dataset, Cells("small", "", Path(), Path(), evaluation=evaluation))


def checkerboard() -> Dataset:
    return dataclasses.replace(worlds.checkerboard()[0], test=NO_PAIRS)


def by_user(pairs: Pairs) -> dict[int, set[int]]:
    rows = zip(pairs.user.tolist(), pairs.video.tolist(), strict=True)
    found: dict[int, set[int]] = {}
    for user, video in rows:
        found.setdefault(user, set()).add(video)
    return found


def test_so_many_likes_are_given_and_all_after_the_most_are_asked_for() -> None:
    dataset = checkerboard()
    found = world(dataset)
    likes, asked = by_user(dataset.train), by_user(found.split.dataset.test)
    assert len(asked) == 9  # a fifth of 48
    before: dict[int, set[int]] = {user: set() for user in asked}
    for number in GIVEN:
        given = by_user(found.given[number])
        for user in asked:
            assert len(given[user]) == number
            assert before[user] < given[user]
        before = given
    for user, videos in asked.items():
        assert before[user] | videos == likes[user]
        assert not before[user] & videos


def test_nobody_is_learned_from_who_is_asked() -> None:
    found = world(checkerboard())
    asked = set(found.split.dataset.test.user.tolist())
    assert not asked & set(found.learned.train.user.tolist())
    assert asked & set(found.history(1).train.user.tolist()) == asked


def test_a_like_that_could_have_been_given_is_never_a_rival() -> None:
    found = world(checkerboard())
    seen = by_user(found.split.dataset.train)
    for user, videos in by_user(found.given[max(GIVEN)]).items():
        assert seen[user] == videos


def test_in_time_the_first_likes_are_given() -> None:
    dataset = checkerboard()
    time = np.random.default_rng(2).permutation(len(dataset.train))
    train = dataclasses.replace(dataset.train, time=time.astype(np.int64))
    found = world(dataclasses.replace(dataset, train=train, test=train.where(time < 0)))
    for user, videos in by_user(found.given[3]).items():
        own = train.user == user
        first = train.video[own][np.argsort(time[own])][:3]
        assert videos == set(first.tolist())


def shown(dataset: Dataset, time: np.ndarray | None = None) -> Pairs:
    """Three videos that each user does not like."""
    likes = by_user(dataset.train)
    pairs = [
        (user, video)
        for user, videos in likes.items()
        for video in sorted(set(range(1, dataset.videos.size + 1)) - videos)[:3]
    ]
    user, video = np.array(pairs, np.int32).T
    return Pairs(user, video, time)


def test_what_was_skipped_is_told_with_the_likes_it_came_with() -> None:
    dataset = checkerboard()
    dataset = dataclasses.replace(dataset, impressions=shown(dataset))
    found = world(dataset)
    every, asked = by_user(dataset.impressions), by_user(found.split.dataset.test)
    assert not set(found.learned.impressions.user.tolist()) & set(asked)
    before: dict[int, set[int]] = {user: set() for user in asked}
    for number in GIVEN:
        told_of = by_user(found.skipped[number])
        assert set(told_of) <= set(asked)
        for user in asked:
            some = told_of.get(user, set())
            assert before[user] <= some <= every[user]
            before[user] = some
    assert 0 < sum(map(len, before.values())) < 3 * len(asked)


def test_in_time_what_was_skipped_before_the_last_given_like_is_told() -> None:
    dataset = checkerboard()
    draw = np.random.default_rng(2)
    time = draw.permutation(len(dataset.train)).astype(np.int64)
    train = dataclasses.replace(dataset.train, time=time)
    users = len(np.unique(train.user))
    moments = draw.integers(len(time), size=3 * users)
    dataset = dataclasses.replace(
        dataset,
        train=train,
        test=train.where(time < 0),
        impressions=shown(dataset, moments),
    )
    found = world(dataset)
    impressions = dataset.impressions
    for user in by_user(found.split.dataset.test):
        third = np.sort(time[train.user == user])[2]
        own = (impressions.user == user) & (moments <= third)
        told_of = by_user(found.skipped[3]).get(user, set())
        assert told_of == set(impressions.video[own].tolist())


def test_users_of_few_likes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likes_given, "GIVEN", (1, 60))
    with pytest.raises(ConfigError, match=r"more than 60 likes.*Received: nobody"):
        world(checkerboard())
