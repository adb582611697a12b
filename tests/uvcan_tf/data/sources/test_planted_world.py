"""The planted world is what its docstring says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from uvcan_tf.data.sources.planted_world import MISSING, Size, World, draw_likes, plant

SIZE = Size(
    users=1_100,
    videos=700,
    likes=23_000,
    visual_length=5,
    authors=31,
    music=29,
    tags=13,
    clusters=7,
    locations=11,
    traits=4,
)


@pytest.fixture(scope="module")
def world() -> World:
    return plant(SIZE, seed=3)


@pytest.fixture(scope="module")
def pairs(world: World) -> tuple[np.ndarray, np.ndarray]:
    return draw_likes(world, SIZE.likes, seed=3)


def same(one: World, other: World) -> list[bool]:
    fields = dataclasses.fields(World)
    return [
        np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields
    ]


def test_the_seed_decides_everything(world: World) -> None:
    assert all(same(world, plant(SIZE, seed=3)))
    assert not any(same(world, plant(SIZE, seed=4)))


def test_every_user_attends_to_few_kinds(world: World) -> None:
    ordered = np.sort(world.attention, axis=1)
    np.testing.assert_allclose(ordered, [[0.05, 0.05, 0.2, 0.7]] * SIZE.users)


def test_attributes_tell_the_attended_kind_in_part(world: World) -> None:
    kinds = world.attention.argmax(axis=1)
    right = 0
    for gender in (0, 1):
        for location in range(SIZE.locations):
            group = kinds[(world.gender == gender) & (world.location == location)]
            right += np.bincount(group).max()
    assert 0.6 < right / SIZE.users < 0.8  # 0.6 follow, and a quarter of the rest


def test_a_taste_is_strength_times_attention_long(world: World) -> None:
    length = np.linalg.norm(world.taste.reshape(SIZE.users, 4, 4), axis=2)
    np.testing.assert_allclose(length, 5 * world.attention, rtol=1e-5)


def test_videos_of_one_author_share_its_traits(world: World) -> None:
    traits = world.traits[world.author == 2, :4]
    assert len(traits) > 1
    assert (traits == traits[0]).all()


def test_a_video_without_a_facet_has_no_traits_of_it(world: World) -> None:
    silent = world.music == MISSING
    assert 0 < silent.mean() < 0.1
    assert (world.traits[silent, 4:8] == 0).all()
    assert (world.traits[world.tags[:, 0] == MISSING, 8:12] == 0).all()


def test_no_video_has_a_tag_twice(world: World) -> None:
    for row in world.tags:
        tags = row[row != MISSING]
        assert len(set(tags)) == len(tags)


def test_scores_are_the_documented_sum(world: World) -> None:
    taste = world.taste.reshape(SIZE.users, 4, 4)
    traits = world.traits.reshape(SIZE.videos, 4, 4)
    expected = sum(taste[7, c] @ traits[9, c] for c in range(4)) + world.popularity[9]
    np.testing.assert_allclose(world.scores(7)[9], expected, rtol=1e-4)


def test_likes_have_the_wanted_sum_and_at_least_five_a_user(
    pairs: tuple[np.ndarray, np.ndarray],
) -> None:
    user, video = pairs
    assert len(user) == len(video) == SIZE.likes
    assert np.bincount(user).min() >= 5
    assert len(set(zip(user, video, strict=True))) == SIZE.likes


def test_popularity_has_a_long_tail(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    likes = np.sort(np.bincount(pairs[1], minlength=SIZE.videos))[::-1]
    assert likes[:70].sum() > 0.25 * SIZE.likes
    assert likes[350:].sum() > 0.15 * SIZE.likes


def test_likes_are_draws_from_the_softmax_of_the_scores(world: World) -> None:
    """Of six videos five are drawn; the one left out follows Plackett-Luce."""
    odds = np.array([1.0, 1.0, 2.0, 2.0, 4.0, 8.0])
    users = 20_000
    small = dataclasses.replace(
        world,
        gender=np.zeros(users, np.int64),
        taste=np.zeros((users, 16), np.float32),
        traits=world.traits[:6],
        popularity=np.log(odds).astype(np.float32),
    )
    _, video = draw_likes(small, 5 * users, seed=1)
    left_out = 1 - np.bincount(video) / users
    np.testing.assert_allclose(left_out, last_of(odds), atol=0.015)


def last_of(odds: np.ndarray) -> np.ndarray:
    """The chance of each to be drawn last, by exhaustive recursion."""
    if len(odds) == 1:
        return np.ones(1)
    chances = np.zeros(len(odds))
    for first in range(len(odds)):
        rest = np.delete(np.arange(len(odds)), first)
        chances[rest] += odds[first] / odds.sum() * last_of(odds[rest])
    return chances
