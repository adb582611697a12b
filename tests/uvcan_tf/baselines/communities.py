"""Two communities that like their own videos only: a world with a known answer."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import numpy as np

from uvcan_tf.data.dataset import Dataset, Pairs, Side
from uvcan_tf.features import Categorical, Features

if TYPE_CHECKING:  # it imports TensorFlow
    from uvcan_tf.evaluation.scorers import Scorer

USERS: Final = 46  # rows 1 to 23 and 24 to 46 are the communities; 47 likes nothing
VIDEOS: Final = 26  # rows 1 to 13 and 14 to 26 are theirs; 27 nobody likes


def dataset_of(likes: np.ndarray, held_out: np.ndarray | None = None) -> Dataset:
    """A dataset of likes [users, videos], of which some may be held out."""
    likes = np.asarray(likes, bool)
    held = np.zeros_like(likes) if held_out is None else held_out
    return Dataset(
        features=Features(user=(), video=()),
        users=Side(np.array([f"u{i}" for i in range(likes.shape[0])], object), {}),
        videos=Side(np.array([f"v{i}" for i in range(likes.shape[1])], object), {}),
        vocabularies={},
        train=_pairs(likes & ~held),
        test=_pairs(likes & held),
    )


def communities() -> Dataset:
    """Each user likes all but two of the own community's videos; one is held out."""
    draw = np.random.default_rng(5)
    likes = np.zeros([USERS + 1, VIDEOS + 1], bool)
    held_out = np.zeros_like(likes)
    for user in range(USERS):
        own = VIDEOS // 2 * (user >= USERS // 2) + draw.permutation(VIDEOS // 2)
        likes[user, own[:-2]] = True
        held_out[user, own[0]] = True
    return dataset_of(likes, held_out)


def with_attributes(world: Dataset) -> Dataset:
    """The same where users' cities and videos' authors tell the community.

    User 47 lives in the second city, video 27 is by one of its two authors.
    """
    city = np.r_[0, [1] * (USERS // 2), [2] * (USERS // 2), 2, 0].astype(np.int32)
    author = np.r_[0, np.arange(VIDEOS) * 4 // VIDEOS + 1, 4, 0].astype(np.int32)
    cities, authors = (
        np.array([f"{name}{i}" for i in range(1, n + 1)], object)
        for name, n in (("city", 2), ("author", 4))
    )
    return dataclasses.replace(
        world,
        features=Features(user=(Categorical("city"),), video=(Categorical("author"),)),
        users=Side(world.users.ids, {"city": city}),
        videos=Side(world.videos.ids, {"author": author}),
        vocabularies={"city": cities, "author": authors},
    )


def assert_learns(scorer: Scorer, world: Dataset) -> None:
    """Held-out videos score far above all of the other community: 0.3 of the range."""
    scores = scorer.scores(world.test.user)
    assert scores.shape == (USERS, VIDEOS + 1)
    assert scores.dtype == np.float32
    own = scores[np.arange(USERS), world.test.video - 1]
    first, second = scores[:, : VIDEOS // 2], scores[:, VIDEOS // 2 : VIDEOS]
    other = np.where(world.test.video[:, None] <= VIDEOS // 2, second, first)
    assert len(own) == USERS
    assert (own - other.max(axis=1) > 0.3 * np.ptp(scores, axis=1)).all()


def assert_knows_nothing_of_cold_start_users(scorer: Scorer) -> None:
    """Users without training pairs, missing and unknown ones get zeros."""
    strangers = np.array([0, USERS + 1, USERS + 2], np.int32)
    np.testing.assert_array_equal(
        scorer.scores(strangers), np.zeros([3, VIDEOS + 1], np.float32)
    )


def _pairs(likes: np.ndarray) -> Pairs:
    user, video = np.nonzero(likes)
    return Pairs((user + 1).astype(np.int32), (video + 1).astype(np.int32))
