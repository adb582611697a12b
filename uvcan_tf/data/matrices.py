"""What the classical methods are given: likes as a matrix, and settings in range."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from uvcan_tf.config import ConfigError
from uvcan_tf.data.dataset import Dataset, Pairs


def likes_of(dataset: Dataset) -> csr_matrix:
    """The training pairs as ones, float32 [n+2, V]: a line for every user row.

    Column v - 1 is video row v. The lines of user rows 0 and n+1 are empty, as are
    those of users without training pairs.
    """
    return matrix_of(dataset, dataset.train)


def observed_of(dataset: Dataset, shown_weight: float) -> csr_matrix:
    """As `likes_of`, and what was shown and not liked with a weight of its own."""
    likes = likes_of(dataset)
    if not shown_weight:
        return likes
    return (likes + shown_weight * matrix_of(dataset, dataset.shown)).tocsr()


def matrix_of(dataset: Dataset, pairs: Pairs) -> csr_matrix:
    """Any pairs as ones, float32 [n+2, V]; one that occurs twice counts once."""
    shape = (dataset.users.size + 2, dataset.videos.size)
    ones = np.ones(len(pairs), np.float32)
    matrix = csr_matrix((ones, (pairs.user, pairs.video - 1)), shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def one_hot(column: npt.NDArray[Any], size: int | None = None) -> csr_matrix:
    """Ones at the values of each row of int [n] or [n, L]; 0 is no value.

    float64 [n, size], by default as wide as the values need.
    """
    values = column.reshape(len(column), -1)
    row, place = np.nonzero(values)
    width = int(values.max(initial=0)) + 1 if size is None else size
    shape = (len(values), width)
    ones = csr_matrix((np.ones(len(row)), (row, values[row, place])), shape)
    ones.data[:] = 1.0
    return ones


def require_count(name: str, value: object) -> None:
    """Raises `ConfigError` unless the setting is a positive int."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(
            f"`{name}` should be a positive int. Received: {name}={value!r}."
        )


def require_positive(name: str, value: float) -> None:
    """Raises `ConfigError` unless the setting is a number above 0."""
    if not 0 < value < float("inf"):
        raise ConfigError(
            f"`{name}` should be a positive number. Received: {name}={value!r}."
        )


def require_not_negative(name: str, value: float) -> None:
    """Raises `ConfigError` unless the setting is a number of at least 0."""
    if not 0 <= value < float("inf"):
        raise ConfigError(
            f"`{name}` should be a number of at least 0. Received: {name}={value!r}."
        )


def require_share(name: str, value: float) -> None:
    """Raises `ConfigError` unless the setting is a number from 0 to 1."""
    if not 0 <= value <= 1:
        raise ConfigError(
            f"`{name}` should be a number from 0 to 1. Received: {name}={value!r}."
        )
