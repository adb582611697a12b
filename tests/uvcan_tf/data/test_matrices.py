"""The matrix of likes has a line for every user row, and ones where a pair is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.uvcan_tf.baselines.communities import dataset_of
from uvcan_tf.config import ConfigError
from uvcan_tf.data.matrices import (
    likes_of,
    require_count,
    require_not_negative,
    require_positive,
    require_share,
)

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


@pytest.mark.parametrize("value", [0, -3, 2.0, True, None])
def test_a_count_is_a_positive_int(value: object) -> None:
    require_count("k", 1)
    with pytest.raises(ConfigError, match=f"positive int. Received: k={value!r}."):
        require_count("k", value)


@pytest.mark.parametrize("value", [0, -1.5, float("nan"), float("inf")])
def test_a_positive_number_is_finite_and_above_zero(value: float) -> None:
    require_positive("l2", 1e-9)
    with pytest.raises(ConfigError, match="`l2` should be a positive number"):
        require_positive("l2", value)


@pytest.mark.parametrize("value", [-1e-9, float("nan"), float("inf")])
def test_a_number_of_at_least_zero_is_finite(value: float) -> None:
    require_not_negative("shrinkage", 0)
    with pytest.raises(ConfigError, match="`shrinkage` should be a number of at"):
        require_not_negative("shrinkage", value)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_share_lies_between_zero_and_one(value: float) -> None:
    require_share("id_dropout", 1)
    with pytest.raises(ConfigError, match="`id_dropout` should be a number from 0 to"):
        require_share("id_dropout", value)
