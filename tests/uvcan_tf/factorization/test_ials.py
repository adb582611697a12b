"""iALS minimises its article's loss, and learns from what was shown."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import spearmanr

from tests.uvcan_tf.baselines.communities import (
    USERS,
    VIDEOS,
    assert_knows_nothing_of_cold_start_users,
    assert_learns,
    communities,
    dataset_of,
    with_attributes,
)
from tests.uvcan_tf.factorization.least_squares import factors_of
from uvcan_tf.config import ConfigError, IALSSettings
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.factorization.ials import IALS

WORLD = communities()
SETTINGS = IALSSettings(
    factors=2, unobserved_weight=0.2, regularization=0.05, frequency=0.5, seed=7
)


def shown(world: Dataset) -> Dataset:
    """User 47, who likes nothing, was shown the first three videos of community 1."""
    pairs = Pairs(np.full(3, USERS + 1, np.int32), np.array([1, 2, 3], np.int32))
    return dataclasses.replace(world, impressions=pairs)


def loss(model: IALS, world: Dataset, settings: IALSSettings) -> float:
    """The article's loss, a pair at a time."""
    weights = np.zeros([USERS + 3, VIDEOS + 1])
    for pairs, weight in (
        (world.train, 1.0),
        (world.impressions, settings.impression_weight),
    ):
        for user, video in zip(pairs.user, pairs.video, strict=True):
            weights[user, video - 1] = weight
    a0, nu = settings.unobserved_weight, settings.frequency
    total = 0.0
    for user in range(1, USERS + 2):
        for video in range(VIDEOS + 1):
            score = float(model.users[user] @ model.videos[video])
            total += weights[user, video] * (1 - score) ** 2 + a0 * score**2
    for factors, axis in ((model.users, 1), (model.videos, 0)):
        others = len(model.videos) if axis == 1 else len(model.users)
        for row, count in zip(factors, (weights > 0).sum(axis=axis), strict=True):
            ridge = settings.regularization * (count + a0 * others) ** nu
            total += ridge * float(row @ row)
    return total


@pytest.mark.parametrize("impression_weight", [0.0, 0.5])
def test_no_small_change_of_a_video_lowers_the_loss(impression_weight: float) -> None:
    world = shown(WORLD)
    settings = dataclasses.replace(SETTINGS, impression_weight=impression_weight)
    model = IALS(world, settings)
    best = loss(model, world, settings)
    for video in (0, 5, 20):
        for factor in range(2):
            for change in (-0.01, 0.01):
                kept = model.videos.copy()
                model.videos[video, factor] += change
                assert loss(model, world, settings) > best
                model.videos = kept


def test_from_factors_of_fewer_pairs_few_steps_lead_as_far_as_many_from_noise() -> None:
    every_tenth = np.arange(len(WORLD.train)) % 10 == 0
    fewer = dataclasses.replace(WORLD, train=WORLD.train.where(~every_tenth))
    of_fewer = IALS(fewer, SETTINGS)
    start = of_fewer.users, np.pad(of_fewer.videos, [[1, 1], [0, 0]])
    kept = [part.copy() for part in start]
    model, cold = IALS(WORLD, SETTINGS, start), IALS(WORLD, SETTINGS)
    few = IALS(WORLD, dataclasses.replace(SETTINGS, iterations=3))
    of = {m: loss(m, WORLD, SETTINGS) for m in (model, cold, few, of_fewer)}
    assert of[model] < 1.001 * of[cold]
    assert of[few] > 1.01 * of[cold]
    assert of[of_fewer] > 1.01 * of[cold]
    for before, after in zip(kept, start, strict=True):
        np.testing.assert_array_equal(before, after)


def test_ials_learns_two_communities() -> None:
    assert_learns(IALS(WORLD, SETTINGS), WORLD)


def test_ials_gives_strangers_zeros() -> None:
    assert_knows_nothing_of_cold_start_users(IALS(WORLD, SETTINGS))


def test_what_was_shown_tells_what_a_user_is_about() -> None:
    settings = dataclasses.replace(SETTINGS, impression_weight=0.5)
    stranger = IALS(shown(WORLD), settings).scores(np.array([USERS + 1], np.int32))[0]
    first, second = stranger[: VIDEOS // 2], stranger[VIDEOS // 2 : VIDEOS]
    assert first.min() > second.max()


ATTRIBUTES = dataclasses.replace(SETTINGS, attribute_ridge=1.0)


@pytest.mark.parametrize("pull", [0.0, 1.0])
def test_attributes_tell_of_a_stranger_and_of_a_new_video(pull: float) -> None:
    settings = dataclasses.replace(ATTRIBUTES, attribute_pull=pull)
    model = IALS(with_attributes(WORLD), settings)
    scores = model.scores(np.arange(USERS + 3, dtype=np.int32))
    stranger = scores[USERS + 1]
    first, second = stranger[: VIDEOS // 2], stranger[VIDEOS // 2 : VIDEOS]
    assert second.min() > first.max()
    new = scores[1 : USERS + 1, VIDEOS]
    assert new[USERS // 2 :].min() > new[: USERS // 2].max()


def test_attributes_without_pull_change_no_factors_of_rows_with_pairs() -> None:
    with_, without = IALS(with_attributes(WORLD), ATTRIBUTES), IALS(WORLD, SETTINGS)
    np.testing.assert_array_equal(with_.users[1 : USERS + 1], without.users[1:-2])
    np.testing.assert_array_equal(with_.videos[:VIDEOS], without.videos[:VIDEOS])


def test_a_pulled_video_lies_between_its_pairs_and_its_attributes() -> None:
    """A small change towards either raises the loss, where λ weighs |y - π m|²."""
    world = with_attributes(WORLD)
    settings = dataclasses.replace(ATTRIBUTES, attribute_pull=0.8, iterations=60)
    model = IALS(world, settings)
    assert model.regressions is not None
    pull = 0.8 * model.regressions[1].predicted()

    def pulled_loss() -> float:
        total = loss(model, world, settings)
        for row, m, count in zip(
            model.videos, pull, np.bincount(world.train.video)[1:], strict=False
        ):
            others = len(model.users)
            ridge = (
                settings.regularization
                * (count + settings.unobserved_weight * others) ** settings.frequency
            )
            total += ridge * float((row - m) @ (row - m) - row @ row)
        return total

    best = pulled_loss()
    for video in (0, 5, 20):
        for factor in range(2):
            for change in (-0.01, 0.01):
                kept = model.videos.copy()
                model.videos[video, factor] += change
                assert pulled_loss() > best
                model.videos = kept


def test_a_pull_needs_attributes() -> None:
    with pytest.raises(ConfigError, match="`prior.attribute_pull` should be 0 where"):
        dataclasses.replace(SETTINGS, attribute_pull=0.5)


@pytest.mark.parametrize(
    ("name", "value"), [("_PAIRS_A_BLOCK", 31), ("COMPILED_FROM", 0)]
)
def test_neither_blocks_nor_compiling_change_the_factors(
    name: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = IALS(WORLD, SETTINGS)
    monkeypatch.setattr(f"uvcan_tf.factorization.row_solver.{name}", value)
    other = IALS(WORLD, SETTINGS)
    np.testing.assert_allclose(other.users, model.users, atol=1e-4)
    np.testing.assert_allclose(other.videos, model.videos, atol=1e-4)


@pytest.mark.parametrize("name", ["factors", "unobserved_weight", "impression_weight"])
def test_a_setting_out_of_range_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"`prior.{name}` should be .* Received"):
        dataclasses.replace(SETTINGS, **{name: -1})


@pytest.mark.parametrize("frequency", [0.0, 1.0])
def test_a_new_person_gets_the_least_squares_of_their_likes(frequency: float) -> None:
    settings = dataclasses.replace(SETTINGS, frequency=frequency)
    model = IALS(WORLD, settings)
    liked = [3, 5, 11]
    x = factors_of(WORLD, model.videos, settings, liked)
    likes = csr_matrix((np.ones(3), (np.ones(3, int), liked)), (2, len(model.videos)))
    found = model.scores_of_likes(likes)
    np.testing.assert_allclose(found[1], model.videos @ x, rtol=1e-4, atol=1e-6)


def test_a_like_that_says_little_leaves_a_new_person_about_popularity() -> None:
    draw = np.random.default_rng(4)
    world = dataset_of(draw.random([80, 20]) < np.linspace(0.9, 0.05, 20))
    model = IALS(world, dataclasses.replace(SETTINGS, factors=6))
    rare = csr_matrix((np.ones(1), ([0], [19])), (1, 20))
    [found] = model.scores_of_likes(rare)
    popularity = np.bincount(world.train.video, minlength=21)[1:]
    assert spearmanr(found[:19], popularity[:19]).statistic > 0.8  # 0.4 by likes alone
