"""iALS as tuned in Rendle et al., Revisiting the Performance of iALS (RecSys 2022).

`implicit` fits the same loss, but its regulariser cannot follow the frequencies, which
decides how good the method is. Shapes: R rows of a block, L pairs of a row, padded, K
factors, O rows of the other side.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.sparse import csr_matrix

from uvcan_tf.config import IALSSettings
from uvcan_tf.data.dataset import Dataset, IntArray
from uvcan_tf.data.matrices import observed_of
from uvcan_tf.factorization.attribute_matrix import AttributeMatrix, attribute_matrices
from uvcan_tf.factorization.attribute_regression import AttributeRegression

_Factors = npt.NDArray[np.float32]
_PAIRS_AT_ONCE = 1 << 15
_ROWS_AT_ONCE = 1024
_STEPS: Final = 5  # of conjugate gradients; more change nothing once sides alternate


class IALS:
    """Factors that minimise Σ_observed w (1 - x·y)² + α₀ Σ_all (x·y)² + λ(|x|², |y|²).

    Where a pair is observed with weight w, both sums count it, as in the article's
    equation (2). With `attribute_ridge`, a row without weights has what its attributes
    tell, m; with `attribute_pull` π, λ weighs |x - π m|² of every row.

    Args:
      dataset: its training pairs count, and its impressions.
      settings: of the loss.
      attributes: what `attribute_matrices` gives, where it is there already.

    Attributes:
      users: float32 [n+2, K].
      videos: float32 [V, K].
      regressions: of users and of videos, where attributes count.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: IALSSettings,
        attributes: tuple[AttributeMatrix, AttributeMatrix] | None = None,
    ) -> None:
        observed = observed_of(dataset, settings.impression_weight)
        self.regressions: tuple[AttributeRegression, AttributeRegression] | None = None
        if settings.attribute_ridge:
            of_users, of_videos = attributes or attribute_matrices(dataset)
            ridge = settings.attribute_ridge
            self.regressions = (
                AttributeRegression(of_users, _fitted(observed)[1:-1], ridge),
                AttributeRegression(of_videos, _fitted(observed.T), ridge),
            )
        self._settings = settings
        self.users, self.videos = self._factorise(observed, settings)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]; zeros for users without training pairs or attributes."""
        return self.users[users] @ self.videos.T

    def scores_of_likes(self, likes: csr_matrix) -> npt.NDArray[np.float32]:
        """float32 [B, V] of people known by their likes alone, a sparse [B, V].

        Their factors are those of minimal loss while the videos' stay as they are, in
        closed form: x = (Y_SᵀY_S + α₀ YᵀY + λ I)⁻¹ Σ_S y over the likes S.
        """
        settings, K = self._settings, self.videos.shape[1]
        x = np.zeros([likes.shape[0], K])
        everyone = settings.unobserved_weight * (self.videos.T @ self.videos)
        for row, (first, last) in enumerate(itertools.pairwise(likes.indptr)):
            y = self.videos[likes.indices[first:last]]
            frequency = len(y) + settings.unobserved_weight * len(self.videos)
            ridge = settings.regularization * frequency**settings.frequency
            A = y.T @ y + everyone + ridge * np.eye(K)
            x[row] = np.linalg.solve(A, y.sum(axis=0))
        return (x @ self.videos.T).astype(np.float32)

    def _factorise(
        self, observed: csr_matrix, settings: IALSSettings
    ) -> tuple[_Factors, _Factors]:
        rows = list(_blocks(observed))
        columns = list(_blocks(observed.T.tocsr()))
        draw = np.random.default_rng(settings.seed)
        stddev = 0.1 / np.sqrt(settings.factors)
        first = draw.normal(0.0, stddev, [observed.shape[1], settings.factors])
        y: _Factors = first.astype(np.float32)
        y[~_fitted(observed.T)] = 0.0
        x = np.zeros([observed.shape[0], settings.factors], np.float32)
        m_x, m_y = np.zeros_like(x), np.zeros_like(y)
        for _ in range(settings.iterations):
            x = _solved(rows, x, y, m_x, settings)
            if settings.attribute_pull and self.regressions:
                self.regressions[0].fit(x[1:-1], _STEPS)
                m_x[1:-1] = settings.attribute_pull * self.regressions[0].predicted()
            y = _solved(columns, y, x, m_y, settings)
            if settings.attribute_pull and self.regressions:
                self.regressions[1].fit(y, _STEPS)
                m_y = settings.attribute_pull * self.regressions[1].predicted()
        if self.regressions:
            fitted = _fitted(observed), _fitted(observed.T)
            x[1:-1] = _completed(x[1:-1], fitted[0][1:-1], self.regressions[0])
            y = _completed(y, fitted[1], self.regressions[1])
        return x, y


def _fitted(observed: csr_matrix) -> npt.NDArray[np.bool_]:
    """Whether a row has a weight."""
    return observed.getnnz(axis=1) > 0


def _completed(
    factors: _Factors, fitted: npt.NDArray[np.bool_], regression: AttributeRegression
) -> _Factors:
    """The same with what attributes tell in place of rows that have no weight."""
    regression.fit(factors)
    return np.where(fitted[:, None], factors, regression.predicted())


class _Block(NamedTuple):
    """Rows of about as many pairs: row [R], other side [R, L], weight [R, L]."""

    row: npt.NDArray[np.int64]
    other: IntArray
    weight: npt.NDArray[np.float32]


def _blocks(weights: csr_matrix) -> Iterator[_Block]:
    pairs = np.diff(weights.indptr)
    order = np.argsort(pairs, kind="stable")
    order = order[pairs[order] > 0]
    while len(order):
        longest = pairs[order[:_ROWS_AT_ONCE]]  # ascending, so also the widths
        fits = np.arange(1, len(longest) + 1) * longest <= _PAIRS_AT_ONCE
        row = order[: max(1, int(fits.sum()))]
        position = np.arange(int(pairs[row].max()))
        inside = position < pairs[row, None]
        place = np.where(inside, weights.indptr[row, None] + position, 0)
        weight = np.where(inside, weights.data[place], 0.0).astype(np.float32)
        yield _Block(row, weights.indices[place].astype(np.int32), weight)
        order = order[len(row) :]


def _solved(
    blocks: list[_Block],
    before: _Factors,
    y: _Factors,
    m: _Factors,
    settings: IALSSettings,
) -> _Factors:
    other = tf.constant(y)
    everyone = settings.unobserved_weight * tf.matmul(other, other, transpose_a=True)
    x = m.copy()  # of rows without weights
    for block in blocks:
        pairs = np.count_nonzero(block.weight, axis=1)
        frequency = pairs + settings.unobserved_weight * len(y)
        ridge = settings.regularization * frequency**settings.frequency
        x[block.row] = _solve(
            other,
            everyone,
            tf.constant(block.other),
            tf.constant(block.weight),
            tf.constant(ridge, tf.float32),
            tf.constant(before[block.row]),
            tf.constant(m[block.row]),
        )
    return x


@tf.function(
    input_signature=[
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
    ],
    autograph=False,
)
def _solve(
    other: tf.Tensor,
    everyone: tf.Tensor,
    index: tf.Tensor,
    weight: tf.Tensor,
    ridge: tf.Tensor,
    x: tf.Tensor,
    m: tf.Tensor,
) -> tf.Tensor:
    """From x towards A⁻¹ (Yᵀ w + λ m), [R, K], where A = Yᵀ W Y + α₀ YᵀY + λ I.

    By conjugate gradients with A's diagonal as preconditioner, which never form A; as
    in Takács et al., Applications of the Conjugate Gradient Method for Implicit
    Feedback Collaborative Filtering (RecSys 2011). everyone: α₀ YᵀY [K, K].
    """
    y = tf.gather(other, index)  # [R, L, K]

    def times(p: tf.Tensor) -> tf.Tensor:
        """A p, [R, K]."""
        rated = weight * tf.linalg.matvec(y, p)  # [R, L]
        observed = tf.linalg.matvec(y, rated, transpose_a=True)
        return observed + p @ everyone + ridge[:, None] * p

    diagonal = tf.linalg.matvec(y * y, weight, transpose_a=True)
    diagonal += tf.linalg.diag_part(everyone) + ridge[:, None]  # [R, K]
    wanted = tf.linalg.matvec(y, weight, transpose_a=True) + ridge[:, None] * m
    r = wanted - times(x)  # [R, K]
    p, old = r / diagonal, _dot(r, r / diagonal)
    for _ in range(_STEPS):
        Ap = times(p)
        step = tf.math.divide_no_nan(old, _dot(p, Ap))
        x, r = x + step * p, r - step * Ap
        new = _dot(r, r / diagonal)
        p, old = r / diagonal + tf.math.divide_no_nan(new, old) * p, new
    return x


def _dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(a * b, axis=-1, keepdims=True)  # [R, K=1]
