"""The matrix of likes has a line for every user row, and ones where a pair is."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.uvcan_tf.baselines.communities import dataset_of
from uvcan_tf.data.matrices import likes_of

LIKES = np.array([[0, 1, 1], [0, 0, 0], [1, 0, 1]])


def test_lines_are_user_rows_and_columns_are_video_rows_less_one() -> None:
    likes = likes_of(dataset_of(LIKES))
    assert likes.dtype == np.float32
    np.testing.assert_array_equal(
        likes.toarray(), [[0, 0, 0], [0, 1, 1], [0, 0, 0], [1, 0, 1], [0, 0, 0]]
    )


def test_a_pair_that_occurs_twice_counts_once() -> None:
    world = dataset_of(LIKES)
    twice = dataclasses.replace(world, train=world.train + world.train)
    np.testing.assert_array_equal(likes_of(twice).toarray(), likes_of(world).toarray())


def test_held_out_pairs_are_not_given() -> None:
    held_out = np.array([[0, 1, 0], [0, 0, 0], [0, 0, 1]], bool)
    likes = likes_of(dataset_of(LIKES, held_out)).toarray()
    np.testing.assert_array_equal(likes[1:-1], [[0, 0, 1], [0, 0, 0], [1, 0, 0]])
