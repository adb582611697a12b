"""Nearest neighbours: users who like the same videos, videos liked by the same users.

Shapes: R rows of the matrix whose rows are compared, B rows asked for, V videos.
"""

from __future__ import annotations

import dataclasses
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack

from uvcan_tf.data.dataset import Dataset, IntArray
from uvcan_tf.data.matrices import likes_of
from uvcan_tf.validators import require_count, require_not_negative

_SIMILARITIES_AT_ONCE: Final = 1 << 22  # doubles of one block: 32 MB


@dataclasses.dataclass(frozen=True)
class NeighbourSettings:
    """How alike two rows are, and how many of the most alike ones count.

    Args:
      k: neighbours of a row; of equally similar ones the lower rows.
      shrinkage: added to the divisor, so that few likes in common count for less.
    """

    k: int = 50
    shrinkage: float = 10.0

    def __post_init__(self) -> None:
        require_count("k", self.k)
        require_not_negative("shrinkage", self.shrinkage)


class UCF:
    """User-based collaborative filtering: Σ of s(u, w) over neighbours w who like v.

    Neighbours are looked up when a user is scored, so there is nothing to fit.
    """

    def __init__(
        self, dataset: Dataset, settings: NeighbourSettings = NeighbourSettings()
    ) -> None:
        self._likes = likes_of(dataset)
        self._neighbours = _Neighbours(self._likes, settings)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]; zeros for users without training pairs."""
        return (self._neighbours.of(users) @ self._likes).toarray()


class ItemKNN:
    """Item-based collaborative filtering: Σ of s(i, v) over the user's likes i.

    Only where v is a neighbour of i, as by Deshpande and Karypis (TOIS 2004).
    """

    def __init__(
        self, dataset: Dataset, settings: NeighbourSettings = NeighbourSettings()
    ) -> None:
        self._likes = likes_of(dataset)
        videos = np.arange(dataset.videos.size, dtype=np.int32)
        self._similar = _Neighbours(self._likes.T.tocsr(), settings).of(videos)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]; zeros for users without training pairs."""
        return (self._likes[users] @ self._similar).toarray()


class _Neighbours:
    """Rows of a matrix of ones by their cosine, shrunk.

    s(a, b) = |a ∩ b| / (√(|a||b|) + shrinkage)
    """

    def __init__(self, likes: csr_matrix, settings: NeighbourSettings) -> None:
        self._likes = likes
        self._by_column = likes.T.tocsr()
        self._sizes = np.diff(likes.indptr).astype(np.float64)  # [R]
        self._settings = settings

    def of(self, rows: IntArray) -> csr_matrix:
        """Similarity to the nearest other rows, float32 [B, R], at most k in a line."""
        step = max(1, _SIMILARITIES_AT_ONCE // len(self._sizes))
        blocks = range(0, max(1, len(rows)), step)
        return vstack([self._block(rows[b : b + step]) for b in blocks], "csr")

    def _block(self, rows: IntArray) -> csr_matrix:
        similar = (self._likes[rows] @ self._by_column).toarray().astype(np.float64)
        norms = np.sqrt(np.outer(self._sizes[rows], self._sizes))  # [B, R]
        divisor = norms + self._settings.shrinkage
        np.divide(similar, divisor, out=similar, where=similar > 0)
        similar[np.arange(len(rows)), rows] = 0.0
        return csr_matrix(_largest(similar, self._settings.k), dtype=np.float32)


def _largest(values: npt.NDArray[np.float64], k: int) -> npt.NDArray[np.float64]:
    """The k largest values of each line, the first ones of equals; else 0."""
    if k >= values.shape[1]:
        return values
    least = np.partition(values, -k, axis=1)[:, -k, None]  # [B, 1]
    above, equal = values > least, values == least
    room = k - above.sum(axis=1, keepdims=True)
    return np.where(above | (equal & (equal.cumsum(axis=1) <= room)), values, 0.0)
