"""What the attributes of users or videos tell of their factors, before any pair does.

A ridge regression of factors on attributes, as in Agarwal and Chen, Regression-based
Latent Factor Models (KDD 2009). Shapes: n rows of a table, W words, P factors, D length
of a vector, E of its directions that are kept, L values of a multivalued attribute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.sparse import csr_matrix, diags, hstack

from uvcan_tf.data.dataset import Side
from uvcan_tf.data.matrices import one_hot
from uvcan_tf.features import Dense, Feature
from uvcan_tf.network.attention import linear

Floats = npt.NDArray[np.float32]

_DIRECTIONS: Final = 64
_ENOUGH: Final = 30  # steps of conjugate gradients
_FOLDS: Final = 5
_TINY: Final = np.float32(1e-30)


class Words:
    """The attributes of a table's rows as numbers, for all regressions on them.

    A value is a word; several values of one attribute share its weight. Of a vector,
    the directions of largest variance are words.

    Args:
      side: the table.
      features: its attributes.
      sizes: known values by attribute that is no vector.

    Attributes:
      features: in the order of their words, vectors last.
      values: float32 [n, W - E].
      vectors: float32 [n, E].
    """

    def __init__(
        self, side: Side, features: Sequence[Feature], sizes: Mapping[str, int]
    ) -> None:
        named = [f for f in features if not isinstance(f, Dense)]
        dense = [f for f in features if isinstance(f, Dense)]
        column: dict[str, npt.NDArray[Any]]
        column = {f.name: side.columns[f.name][1:-1] for f in features}
        self._directions = {f.name: _main_directions(column[f.name]) for f in dense}
        values = [_shares(one_hot(column[f.name], sizes[f.name] + 2)) for f in named]
        vectors = [column[f.name] @ self._directions[f.name] for f in dense]
        self.features: list[Feature] = [*named, *dense]
        self.values = hstack([csr_matrix((side.size, 0)), *values], "csr", np.float32)
        self.vectors = np.concatenate([_none(side.size), *vectors], axis=1)
        widths = [part.shape[1] for part in (*values, *vectors)]
        self._ends = np.cumsum([0, *widths])[:-1]

    def tables(self, weights: Floats) -> list[Floats]:
        """Weights [W, P] by attribute: [values + 2, P], or [D, P] of a vector."""
        parts = np.split(weights, self._ends)[1:]
        return [
            self._directions[feature.name] @ part
            if isinstance(feature, Dense)
            else part
            for feature, part in zip(self.features, parts, strict=True)
        ]


class AttributeRegression:
    """Weights A that minimise Σ_fitted |y - ȳ - Aᵀw|² + ridge |A|², w a row's words.

    Args:
      words: of all rows.
      fitted: bool [n], the rows whose factors count.
      ridge: rows' worth of doubt in every word.

    Attributes:
      mean: ȳ, float32 [P].
    """

    def __init__(
        self, words: Words, fitted: npt.NDArray[np.bool_], ridge: float
    ) -> None:
        self._words, self._fitted, self._ridge = words, fitted, ridge
        self._values, self._vectors = words.values[fitted], words.vectors[fitted]
        self._transposed = self._values.T.tocsr()
        squares = [
            self._values.multiply(self._values).sum(axis=0).A1,
            np.square(self._vectors).sum(axis=0),
        ]
        self._diagonal = (np.concatenate(squares) + np.float32(ridge))[:, None]
        self.mean: Floats = np.zeros(0, np.float32)
        self._weights: Floats = np.zeros([0, 0], np.float32)

    def fit(self, factors: Floats, steps: int = _ENOUGH) -> None:
        """Goes on from the weights of the last time towards those of factors [n, P].

        By conjugate gradients, preconditioned by the diagonal, for all P at once.
        """
        y = factors[self._fitted]
        self.mean = y.sum(axis=0) / np.float32(max(1, len(y)))
        if not self._weights.size:
            self._weights = np.zeros([len(self._diagonal), y.shape[1]], np.float32)
        A = self._weights
        r = self._back(y - self.mean) - self._times(A)
        p = r / self._diagonal
        old = (r * p).sum(axis=0)
        for _ in range(steps):
            Ap = self._times(p)
            step = old / np.maximum((p * Ap).sum(axis=0), _TINY)
            A, r = A + step * p, r - step * Ap
            z = r / self._diagonal
            new = (r * z).sum(axis=0)
            p, old = z + new / np.maximum(old, _TINY) * p, new
        self._weights = A

    def predicted(self) -> Floats:
        """[n, P], for all rows."""
        words = self._words
        return _product(words.values, words.vectors, self._weights) + self.mean

    def predicted_apart(self, factors: Floats) -> Floats:
        """[n, P], each row by a regression that it was no part of.

        An attribute that few rows have else tells of a row what it knows from the row.
        """
        found = self.predicted()
        fold = np.arange(len(found)) % _FOLDS
        for number in range(_FOLDS):
            apart = self._fitted & (fold == number)
            rest = AttributeRegression(self._words, self._fitted & ~apart, self._ridge)
            rest._weights = self._weights
            rest.fit(factors, _ENOUGH // 3)
            found[apart] = rest.predicted()[apart]
        return found

    def means(self) -> AttributeMeans:
        """The same of any rows."""
        tables = self._words.tables(self._weights)
        return AttributeMeans(self._words.features, tables, self.mean)

    def _times(self, A: Floats) -> Floats:
        """[W, P]: what multiplies A in the equations that it solves."""
        product = _product(self._values, self._vectors, A)
        return self._back(product) + np.float32(self._ridge) * A

    def _back(self, y: Floats) -> Floats:
        """[W, P]: each word's sum of y [n, P]."""
        return np.concatenate([self._transposed @ y, self._vectors.T @ y])


def _product(values: csr_matrix, vectors: Floats, A: Floats) -> Floats:
    """[n, P]: vectors apart, as dense products are an order faster."""
    return values @ A[: values.shape[1]] + vectors @ A[values.shape[1] :]


def _none(rows: int) -> Floats:
    return np.zeros([rows, 0], np.float32)


class AttributeMeans(tf.Module):
    """A regression as a function of encoded features, to be saved with a model.

    Call: columns by name, int [...] | int [..., L] padded with 0 | float [..., D] ->
      float32 [..., P], or [P] without any attribute. Values that the table never had
      tell nothing; of whom nothing is told has the mean of all rows.
    """

    def __init__(
        self, features: Sequence[Feature], tables: Sequence[Floats], mean: Floats
    ) -> None:
        super().__init__()
        self._features = list(features)
        self._tables = [tf.Variable(table, trainable=False) for table in tables]
        self._mean = tf.Variable(mean, trainable=False)

    def __call__(self, columns: Mapping[str, tf.Tensor]) -> tf.Tensor:
        told = tf.convert_to_tensor(self._mean)
        for feature, table in zip(self._features, self._tables, strict=True):
            told += _told(feature, table, columns[feature.name])
        return told


def of_strangers(
    known: tuple[tf.Tensor, ...],
    strangers: tf.Tensor,
    means: AttributeMeans | None,
    columns: Mapping[str, tf.Tensor],
) -> tuple[tf.Tensor, ...]:
    """The prior's factors [..., P], if there is one, of rows known and unknown.

    Args:
      known: by the table.
      strangers: bool [...], for whom the attributes count instead.
      means: by attributes, where those count.
      columns: of all rows, [..., *].
    """
    if means is None:
        return known
    return tuple(tf.where(strangers[..., None], means(columns), x) for x in known)


def _told(feature: Feature, table: tf.Variable, column: tf.Tensor) -> tf.Tensor:
    if isinstance(feature, Dense):
        return linear(column, table)
    if not feature.multivalued:
        return tf.gather(table, column)  # row 0, no value, is zeros
    there = tf.reduce_sum(tf.cast(column != 0, tf.float32), axis=-1, keepdims=True)
    values = tf.reduce_sum(tf.gather(table, column), axis=-2)
    return tf.math.divide_no_nan(values, there)


def _main_directions(vectors: Floats) -> Floats:
    """[D, E], scaled so that what they make of a vector is about as long as a word."""
    kept = np.linalg.eigh(vectors.T @ vectors)[1][:, -_DIRECTIONS:]
    there = max(1, int(vectors.any(axis=1).sum()))
    length = np.sqrt(np.square(vectors @ kept).sum() / there)
    return (kept / max(length, _TINY)).astype(np.float32)


def _shares(words: csr_matrix) -> csr_matrix:
    """Rows that sum to 1, or to 0."""
    counts = np.maximum(words.sum(axis=1).A1, 1.0)
    return csr_matrix(diags(1.0 / counts) @ words)
