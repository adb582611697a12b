"""EASE is its closed form, and learns two communities."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.uvcan_tf.baselines.communities import (
    assert_knows_nothing_of_cold_start_users,
    assert_learns,
    communities,
    dataset_of,
)
from uvcan_tf.baselines.ease import EASE, EASESettings
from uvcan_tf.config import ConfigError
from uvcan_tf.data.dataset import Pairs

LIKES = np.array(
    [
        [1, 1, 0, 0, 1, 0, 0],
        [1, 1, 1, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 1, 0],
        [0, 1, 0, 1, 1, 1, 0],
        [1, 0, 0, 0, 0, 0, 0],
    ]
)
EVERYONE = np.arange(1, 6, dtype=np.int32)


def weights(l2: float) -> np.ndarray:
    """Equation 8 of the paper, entry by entry."""
    precision = np.linalg.inv(LIKES.T @ LIKES + l2 * np.eye(7))
    result = np.zeros([7, 7])
    for i in range(7):
        for j in range(7):
            result[i, j] = 0 if i == j else -precision[i, j] / precision[j, j]
    return result


@pytest.mark.parametrize("l2", [0.5, 3.0, 200.0])
def test_scores_are_likes_times_the_closed_form(l2: float) -> None:
    scores = EASE(dataset_of(LIKES), EASESettings(l2=l2)).scores(EVERYONE)
    np.testing.assert_allclose(scores, LIKES @ weights(l2), rtol=1e-5, atol=1e-6)


def test_the_weights_of_a_video_solve_ridge_regression_on_the_others() -> None:
    ease = EASE(dataset_of(LIKES), EASESettings(l2=2.0))
    for video in range(7):
        others = np.delete(LIKES, video, axis=1)
        ridge = np.linalg.solve(
            others.T @ others + 2.0 * np.eye(6), others.T @ LIKES[:, video]
        )
        scores = ease.scores(EVERYONE)[:, video]
        np.testing.assert_allclose(scores, others @ ridge, rtol=1e-5, atol=1e-6)


def test_it_learns_two_communities() -> None:
    world = communities()
    ease = EASE(world, EASESettings(l2=10.0))
    assert_learns(ease, world)
    assert_knows_nothing_of_cold_start_users(ease)


def test_l2_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="`l2` should be a positive.*l2=0"):
        EASESettings(l2=0)


def test_what_was_shown_counts_by_its_weight() -> None:
    shown = np.zeros_like(LIKES)
    shown[4, 1:4] = 1
    both = LIKES + 0.5 * shown
    users, videos = (rows.astype(np.int32) + 1 for rows in np.nonzero(shown))
    world = dataclasses.replace(dataset_of(LIKES), impressions=Pairs(users, videos))
    precision = np.linalg.inv(both.T @ both + 3.0 * np.eye(7))
    expected = -precision / precision.diagonal()
    np.fill_diagonal(expected, 0.0)
    scores = EASE(world, EASESettings(l2=3.0, impression_weight=0.5)).scores(EVERYONE)
    np.testing.assert_allclose(scores, both @ expected, rtol=1e-5, atol=1e-6)
