"""Methods of attributes alone, by hand and on a world where attributes decide."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests import worlds
from uvcan_tf.baselines.content import (
    AttributePopularity,
    AttributePopularitySettings,
    ContentProfile,
)
from uvcan_tf.config import ConfigError
from uvcan_tf.data.dataset import Dataset


def grouped(user: str = "", video: str = "", smoothing: float = 2.0) -> Any:
    settings = AttributePopularitySettings(user, video, smoothing)
    return AttributePopularity(worlds.small(), settings)


def likes(dataset: Dataset) -> np.ndarray:
    result = np.zeros([dataset.users.size + 2, dataset.videos.size + 1])
    result[dataset.train.user, dataset.train.video] = 1
    return result


def test_a_rate_is_smoothed_towards_that_of_everyone() -> None:
    world = worlds.small()
    X = likes(world)
    gender = world.users.columns["gender"]
    author = world.videos.columns["author"]
    trained = X.any(axis=1)
    ann, video = 1, 3
    mine = (gender == gender[ann]) & trained
    alike = np.flatnonzero(author[:-1] == author[video])
    rate = X[:, alike].sum() / (trained.sum() * len(alike))
    expected = (X[mine][:, alike].sum() + 2 * rate) / (mine.sum() * len(alike) + 2)
    found = grouped("gender", "author").scores(np.array([ann], np.int32))
    assert found[0, video - 1] == pytest.approx(expected, rel=1e-5)


def test_without_attributes_it_is_popularity() -> None:
    scores = grouped().scores(np.array([1, 4, 6], np.int32))
    counts = likes(worlds.small()).sum(axis=0)[1:]
    assert (scores == scores[0]).all()
    assert np.corrcoef(scores[0], counts)[0, 1] == pytest.approx(1)


def test_users_of_no_group_get_the_rates_of_everyone() -> None:
    dan, unknown = 4, 6
    np.testing.assert_allclose(
        grouped("gender").scores(np.array([dan, unknown], np.int32)),
        grouped(smoothing=1e-9).scores(np.array([dan, unknown], np.int32)),
        rtol=1e-5,
    )


def test_a_video_of_several_groups_has_their_mean() -> None:
    tags = worlds.small().videos.columns["tags"]
    scores = grouped(video="tags").scores(np.array([1], np.int32))[0]
    single = next(v for v in range(1, 12) if np.count_nonzero(tags[v]) == 1)
    none = next(v for v in range(1, 12) if np.count_nonzero(tags[v]) == 0)
    assert scores[single - 1] > 0
    assert scores[none - 1] == 0


def cold_planted() -> Dataset:
    """`planted` without any like of the last 12 videos."""
    dataset = worlds.planted()
    dataset = dataclasses.replace(dataset, train=dataset.train + dataset.test)
    kept = dataset.train.video <= 48
    return dataclasses.replace(dataset, train=dataset.train.where(kept))


def assert_understands_new_videos(scorer: Any) -> None:
    users = np.arange(1, 49, dtype=np.int32)
    scores = scorer.scores(users)[:, 48:]
    right = (users[:, None] - np.arange(49, 61)) % 3 == 0
    assert (scores[right][:, None] > scores[~right]).mean() > 0.9


def test_a_profile_understands_videos_that_nobody_liked() -> None:
    assert_understands_new_videos(ContentProfile(cold_planted()))


def test_popularity_within_attributes_understands_them() -> None:
    settings = AttributePopularitySettings("taste", "music", 1.0)
    assert_understands_new_videos(AttributePopularity(cold_planted(), settings))


def test_strangers_have_the_profile_of_everyone() -> None:
    scores = ContentProfile(worlds.small()).scores(np.array([5, 6], np.int32))
    np.testing.assert_array_equal(scores[0], scores[1])
    assert scores.any()


def test_an_attribute_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match="one of gender, place. Received: 'age'"):
        grouped("age")
