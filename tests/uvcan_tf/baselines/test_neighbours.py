"""Neighbours are those of a loop over cosines, and learn two communities."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.uvcan_tf.baselines.communities import (
    assert_knows_nothing_of_cold_start_users,
    assert_learns,
    communities,
    dataset_of,
)
from uvcan_tf.baselines import neighbours
from uvcan_tf.baselines.neighbours import UCF, ItemKNN, NeighbourSettings
from uvcan_tf.config import ConfigError

LIKES = np.random.default_rng(3).random([11, 7]) < 0.4
EVERYONE = np.arange(1, 12, dtype=np.int32)
SETTINGS = [
    NeighbourSettings(k=k, shrinkage=shrinkage)
    for k in (1, 2, 5, 100)
    for shrinkage in (0.0, 2.5)
]


def similarities(rows: np.ndarray, settings: NeighbourSettings) -> np.ndarray:
    """Cosine of each row with its k nearest others, in plain loops."""
    result = np.zeros([len(rows), len(rows)])
    for a, first in enumerate(rows):
        found = []
        for b, second in enumerate(rows):
            both = int((first & second).sum())
            if a != b and both:
                norm = math.sqrt(int(first.sum()) * int(second.sum()))
                found.append((-both / (norm + settings.shrinkage), b))
        for negative, b in sorted(found)[: settings.k]:
            result[a, b] = -negative
    return result


@pytest.mark.parametrize("settings", SETTINGS)
def test_users_lend_their_likes_by_cosine(settings: NeighbourSettings) -> None:
    expected = similarities(LIKES, settings) @ LIKES
    scores = UCF(dataset_of(LIKES), settings).scores(EVERYONE)
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


@pytest.mark.parametrize("settings", SETTINGS)
def test_videos_lend_their_likes_by_cosine(settings: NeighbourSettings) -> None:
    expected = LIKES @ similarities(LIKES.T, settings)
    scores = ItemKNN(dataset_of(LIKES), settings).scores(EVERYONE)
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_shrinkage_prefers_more_in_common() -> None:
    likes = np.array([[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 0, 1, 1]])
    first = np.array([1], np.int32)  # cosines: 1 / √3 and 2 / √12, the same

    def score(shrinkage: float) -> float:
        nearest = NeighbourSettings(k=1, shrinkage=shrinkage)
        return float(UCF(dataset_of(likes), nearest).scores(first)[0, 3])

    assert score(0.0) == 0  # the lower row
    assert score(1.0) == pytest.approx(2 / (math.sqrt(12) + 1))


@pytest.mark.parametrize("method", [UCF, ItemKNN])
def test_blocks_do_not_change_the_scores(
    method: type[UCF | ItemKNN], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = NeighbourSettings(k=3, shrinkage=1.0)
    whole = method(dataset_of(LIKES), settings).scores(EVERYONE)
    monkeypatch.setattr(neighbours, "_SIMILARITIES_AT_ONCE", 2 * 13)
    blocks = method(dataset_of(LIKES), settings).scores(EVERYONE)
    np.testing.assert_array_equal(blocks, whole)


@pytest.mark.parametrize("method", [UCF, ItemKNN])
def test_no_users_have_no_scores(method: type[UCF | ItemKNN]) -> None:
    nobody = np.empty(0, np.int32)
    assert method(dataset_of(LIKES)).scores(nobody).shape == (0, 7)


@pytest.mark.parametrize("method", [UCF, ItemKNN])
def test_they_learn_two_communities(method: type[UCF | ItemKNN]) -> None:
    world = communities()
    scorer = method(world, NeighbourSettings(k=22, shrinkage=1.0))
    assert_learns(scorer, world)
    assert_knows_nothing_of_cold_start_users(scorer)


def test_settings_out_of_range_say_what_is_expected() -> None:
    with pytest.raises(ConfigError, match="`k` should be a positive int.*k=0"):
        NeighbourSettings(k=0)
    with pytest.raises(ConfigError, match="`shrinkage` should be .* at least 0"):
        NeighbourSettings(shrinkage=-1.0)
