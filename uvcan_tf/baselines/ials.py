"""iALS as tuned in Rendle et al., Revisiting the Performance of iALS (RecSys 2022).

`implicit` fits the same loss, but its regulariser cannot follow the frequencies, which
decides how good the method is. Shapes: R rows of a block, L pairs of a row, padded, K
factors, O rows of the other side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.sparse import csr_matrix

from uvcan_tf.baselines.inputs import observed_of
from uvcan_tf.config import IALSSettings
from uvcan_tf.dataset import Dataset, IntArray

_Factors = npt.NDArray[np.float32]
_PAIRS_AT_ONCE = 1 << 15
_ROWS_AT_ONCE = 1024
_STEPS: Final = 5  # of conjugate gradients; more change nothing once sides alternate


class IALS:
    """Factors that minimise Σ_observed w (1 - x·y)² + α₀ Σ_all (x·y)² + λ(|x|², |y|²).

    Where a pair is observed with weight w, both sums count it, as in the article's
    equation (2).
    """

    def __init__(self, dataset: Dataset, settings: IALSSettings) -> None:
        observed = observed_of(dataset, settings.shown_weight)
        self.users, self.videos = factorised(observed, settings)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]; zeros for users without training pairs."""
        return self.users[users] @ self.videos.T


def factorised(
    observed: csr_matrix, settings: IALSSettings
) -> tuple[_Factors, _Factors]:
    """Factors of the rows and of the columns; zeros for those without weights."""
    rows = list(_blocks(observed))
    columns = list(_blocks(observed.T.tocsr()))
    draw = np.random.default_rng(settings.seed)
    stddev = 0.1 / np.sqrt(settings.factors)
    first = draw.normal(0.0, stddev, [observed.shape[1], settings.factors])
    y: _Factors = first.astype(np.float32)
    y[np.diff(observed.tocsc().indptr) == 0] = 0.0
    x = np.zeros([observed.shape[0], settings.factors], np.float32)
    for _ in range(settings.iterations):
        x = _solved(rows, x, y, settings)
        y = _solved(columns, y, x, settings)
    return x, y


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
    blocks: list[_Block], before: _Factors, y: _Factors, settings: IALSSettings
) -> _Factors:
    other = tf.constant(y)
    everyone = settings.unobserved_weight * tf.matmul(other, other, transpose_a=True)
    x = before.copy()
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
) -> tf.Tensor:
    """From x towards A⁻¹ Yᵀ w, [R, K], where A = Yᵀ W Y + α₀ YᵀY + λ I.

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
    r = tf.linalg.matvec(y, weight, transpose_a=True) - times(x)  # [R, K]
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
