"""iALS as tuned in Rendle et al., Revisiting the Performance of iALS (RecSys 2022).

`implicit` fits the same loss, but its regulariser cannot follow the frequencies, which
decides how good the method is. Shapes: R rows of a block, L pairs of a row, padded, K
factors, O rows of the other side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.sparse import csr_matrix

from uvcan_tf.baselines.inputs import likes_of, matrix_of
from uvcan_tf.config import IALSSettings
from uvcan_tf.dataset import Dataset, IntArray

_Factors = npt.NDArray[np.float32]
_PAIRS_AT_ONCE = 1 << 16
_ROWS_AT_ONCE = 1024


class IALS:
    """Factors that minimise Σ_observed w (1 - x·y)² + α₀ Σ_all (x·y)² + λ(|x|², |y|²).

    Where a pair is observed with weight w, both sums count it, as in the article's
    equation (2).
    """

    def __init__(self, dataset: Dataset, settings: IALSSettings) -> None:
        observed = likes_of(dataset)
        if settings.shown_weight:
            observed = observed + settings.shown_weight * matrix_of(
                dataset, dataset.shown
            )
        self.users, self.videos = factorised(observed.tocsr(), settings)

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
    for _ in range(settings.iterations):
        x = _solved(rows, observed.shape[0], y, settings)
        y = _solved(columns, observed.shape[1], x, settings)
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
    blocks: list[_Block], rows: int, y: _Factors, settings: IALSSettings
) -> _Factors:
    other = tf.constant(y)
    everyone = settings.unobserved_weight * tf.matmul(other, other, transpose_a=True)
    x = np.zeros([rows, y.shape[1]], np.float32)
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
        )
    return x


@tf.function(
    input_signature=[
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None], tf.float32),
    ],
    autograph=False,
)
def _solve(
    other: tf.Tensor,
    everyone: tf.Tensor,
    index: tf.Tensor,
    weight: tf.Tensor,
    ridge: tf.Tensor,
) -> tf.Tensor:
    """x = (Yᵀ W Y + α₀ YᵀY + λ I)⁻¹ Yᵀ w, [R, K]; everyone: α₀ YᵀY [K, K]."""
    y = tf.gather(other, index)  # [R, L, K]
    weighted = y * weight[..., None]
    A = tf.matmul(weighted, y, transpose_a=True) + everyone  # [R, K, K]
    A = tf.linalg.set_diag(A, tf.linalg.diag_part(A) + ridge[:, None])
    b = tf.reduce_sum(weighted, axis=1)  # [R, K]
    return tf.linalg.cholesky_solve(tf.linalg.cholesky(A), b[..., None])[..., 0]
