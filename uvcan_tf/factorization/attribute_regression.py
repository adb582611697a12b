"""What the attributes of users or videos tell of their factors, before any pair does.

A ridge regression of factors on attributes, as in Agarwal and Chen, Regression-based
Latent Factor Models (KDD 2009). Shapes: n rows of a table, W columns of the attribute
matrix, P factors.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from uvcan_tf.data.dataset import IntArray
from uvcan_tf.factorization.attribute_matrix import AttributeMatrix, Floats
from uvcan_tf.factorization.attribute_means import AttributeMeans

_ENOUGH: Final = 30  # steps of conjugate gradients
_TINY: Final = np.float32(1e-30)


class AttributeRegression:
    """Weights A that minimise Σ_fitted c |y - ȳ - Aᵀw|² + ridge |A|², w a row of it.

    Args:
      matrix: the attributes of all rows.
      fitted: bool [n], the rows whose factors count.
      ridge: rows' worth of doubt in every column.
      counts: how much each row counts beside the others, float32 [n]; c is that over
        its mean among the fitted rows. By default, all count the same.

    Attributes:
      fitted: the same.
      mean: ȳ, the mean of y by c, float32 [P].
    """

    def __init__(
        self,
        matrix: AttributeMatrix,
        fitted: npt.NDArray[np.bool_],
        ridge: float,
        counts: Floats | None = None,
    ) -> None:
        self._matrix, self.fitted, self._ridge = matrix, fitted, ridge
        self._values, self._vectors = matrix.values[fitted], matrix.vectors[fitted]
        self._counts = _over_their_mean(fitted if counts is None else counts, fitted)
        weighed = self._values.multiply(self._counts).tocsr()
        self._transposed = weighed.T.tocsr()
        self._weighed_vectors = self._counts * self._vectors
        squares = [
            weighed.multiply(self._values).sum(axis=0).A1,
            (self._weighed_vectors * self._vectors).sum(axis=0),
        ]
        self._diagonal = (np.concatenate(squares) + np.float32(ridge))[:, None]
        self.mean: Floats = np.zeros(0, np.float32)
        self._weights: Floats = np.zeros([0, 0], np.float32)

    def fit(self, factors: Floats, steps: int = _ENOUGH) -> None:
        """Goes on from the weights of the last time towards those of factors [n, P].

        By conjugate gradients, preconditioned by the diagonal, for all P at once.
        """
        y = factors[self.fitted]
        self.mean = (self._counts * y).sum(axis=0) / np.float32(max(1, len(y)))
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

    def predicted(self, rows: IntArray | None = None) -> Floats:
        """[B, P] of the rows int [B], or [n, P] of all."""
        values, vectors = self._matrix.values, self._matrix.vectors
        if rows is not None:
            values, vectors = values[rows], vectors[rows]
        return _product(values, vectors, self._weights) + self.mean

    def means(self, times: float = 1.0, spread: float = 1.0) -> AttributeMeans:
        """The same of any rows, so many times, and so many times as far from ȳ."""
        tables = self._matrix.tables(np.float32(times * spread) * self._weights)
        mean = np.float32(times) * self.mean
        return AttributeMeans(self._matrix.features, tables, mean)

    def _times(self, A: Floats) -> Floats:
        """[W, P]: what multiplies A in the equations that it solves."""
        product = _product(self._values, self._vectors, A)
        return self._back(product) + np.float32(self._ridge) * A

    def _back(self, y: Floats) -> Floats:
        """[W, P]: each column's sum of c y [n, P]."""
        return np.concatenate([self._transposed @ y, self._weighed_vectors.T @ y])


def _over_their_mean(counts: npt.ArrayLike, fitted: npt.NDArray[np.bool_]) -> Floats:
    """[n, 1] of the fitted rows."""
    of_fitted = np.asarray(counts, np.float32)[fitted, None]
    return of_fitted / of_fitted.mean() if len(of_fitted) else of_fitted


def _product(values: csr_matrix, vectors: Floats, A: Floats) -> Floats:
    """[n, P]: vectors apart, as dense products are an order faster."""
    return values @ A[: values.shape[1]] + vectors @ A[values.shape[1] :]
