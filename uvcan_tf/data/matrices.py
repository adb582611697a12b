"""What the classical methods are given: likes as a matrix, and settings in range."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from uvcan_tf.data.dataset import Dataset, Pairs


def likes_of(dataset: Dataset) -> csr_matrix:
    """The training pairs as ones, float32 [n+2, V]: a line for every user row.

    Column v - 1 is video row v. The lines of user rows 0 and n+1 are empty, as are
    those of users without training pairs.
    """
    return matrix_of(dataset, dataset.train)


def observed_of(dataset: Dataset, impression_weight: float) -> csr_matrix:
    """As `likes_of`, and what was shown and not liked with a weight of its own."""
    likes = likes_of(dataset)
    if not impression_weight:
        return likes
    return (likes + impression_weight * matrix_of(dataset, dataset.impressions)).tocsr()


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
