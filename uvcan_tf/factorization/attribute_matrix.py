"""The attributes of users or videos as a matrix.

Shapes: n rows of a table, W columns of the matrix, P factors, D length of a vector, E
of its directions that are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags, hstack

from uvcan_tf.data.dataset import Dataset, Side
from uvcan_tf.data.matrices import one_hot
from uvcan_tf.features import Feature

Floats = npt.NDArray[np.float32]

_DIRECTIONS: Final = 64
_TINY: Final = np.float32(1e-30)


class AttributeMatrix:
    """The attributes of a table's rows as numbers, for all regressions on them.

    A value is a column; several values of one attribute share its weight. Of a vector,
    the directions of largest variance are columns.

    Args:
      table: of users or of videos.
      features: its attributes.
      sizes: known values by attribute that is no vector.

    Attributes:
      features: in the order of their columns, vectors last.
      values: float32 [n, W - E].
      vectors: float32 [n, E].
    """

    def __init__(
        self, table: Side, features: Sequence[Feature], sizes: Mapping[str, int]
    ) -> None:
        named = [f for f in features if f.width is None]
        dense = [f for f in features if f.width is not None]
        column: dict[str, npt.NDArray[Any]]
        column = {f.name: table.columns[f.name][1:-1] for f in features}
        self._directions = {f.name: _main_directions(column[f.name]) for f in dense}
        values = [_shares(one_hot(column[f.name], sizes[f.name] + 2)) for f in named]
        vectors = [column[f.name] @ self._directions[f.name] for f in dense]
        self.features: list[Feature] = [*named, *dense]
        self.values = hstack([csr_matrix((table.size, 0)), *values], "csr", np.float32)
        self.vectors = np.concatenate([_none(table.size), *vectors], axis=1)
        widths = [part.shape[1] for part in (*values, *vectors)]
        self._ends = np.cumsum([0, *widths])[:-1]

    def tables(self, weights: Floats) -> list[Floats]:
        """Weights [W, P] by attribute: [values + 2, P], or [D, P] of a vector."""
        parts = np.split(weights, self._ends)[1:]
        return [
            self._directions[feature.name] @ part if feature.width is not None else part
            for feature, part in zip(self.features, parts, strict=True)
        ]


def attribute_matrices(dataset: Dataset) -> tuple[AttributeMatrix, AttributeMatrix]:
    """The attributes of users and of videos."""
    of_users = AttributeMatrix(dataset.users, dataset.features.user, _sizes(dataset))
    return of_users, attributes_of_videos(dataset)


def attributes_of_videos(dataset: Dataset) -> AttributeMatrix:
    """Those of videos alone."""
    return AttributeMatrix(dataset.videos, dataset.features.video, _sizes(dataset))


def _sizes(dataset: Dataset) -> dict[str, int]:
    """How many values of each attribute are known."""
    return {name: len(values) for name, values in dataset.vocabularies.items()}


def _none(rows: int) -> Floats:
    return np.zeros([rows, 0], np.float32)


def _main_directions(vectors: Floats) -> Floats:
    """[D, E], scaled so that a vector by them is about as long as the 1 of a value."""
    kept = np.linalg.eigh(vectors.T @ vectors)[1][:, -_DIRECTIONS:]
    there = max(1, int(vectors.any(axis=1).sum()))
    length = np.sqrt(np.square(vectors @ kept).sum() / there)
    return (kept / max(length, _TINY)).astype(np.float32)


def _shares(values: csr_matrix) -> csr_matrix:
    """Rows that sum to 1, or to 0."""
    counts = np.maximum(values.sum(axis=1).A1, 1.0)
    return csr_matrix(diags(1.0 / counts) @ values)
