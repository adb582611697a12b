"""Who liked what, and parts of it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from uvcan_tf.data.dataset import Pairs
from uvcan_tf.model.histories import Histories
from uvcan_tf.network.liked_videos import Likes

KNOWN = np.array([False, True, True, False, True, False])  # video rows 1, 2 and 4


def pairs(*likes: tuple[int, int]) -> Pairs:
    user, video = np.array(likes, np.int32).T
    return Pairs(user, video)


def histories() -> Histories:
    return Histories(pairs((1, 4), (3, 2), (1, 1), (3, 3)), users=3, known=KNOWN)


def listed(likes: Likes) -> list[tuple[int, int]]:
    return list(zip(likes.user.numpy(), likes.video.numpy(), strict=True))


def test_likes_of_some_users_carry_their_place() -> None:
    found = listed(histories().of(tf.constant([3, 2, 1])))
    assert found == [(0, 2), (2, 1), (2, 4)]


def test_missing_and_unknown_users_like_nothing() -> None:
    assert listed(histories().of(tf.constant([0, 4]))) == []


def test_the_asked_video_is_not_in_the_history() -> None:
    found = listed(histories().without(tf.constant([1, 1, 3]), tf.constant([4, 2, 2])))
    assert found == [(0, 1), (1, 1), (1, 4)]


def test_other_likes_replace_the_former_ones() -> None:
    found = histories()
    found.replace(pairs((2, 1), (2, 5)))
    assert listed(found.of(tf.constant([1, 2]))) == [(1, 1)]
