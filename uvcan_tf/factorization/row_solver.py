"""The rows of one side of a factorisation, solved for a block at a time.

Shapes: R rows of a block, L pairs of a row, padded, K factors, O rows of the other
side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.sparse import csr_matrix

from uvcan_tf.config import IALSSettings
from uvcan_tf.data.dataset import IntArray
from uvcan_tf.threads import in_threads

STEPS: Final = 5  # of conjugate gradients; more change nothing once sides alternate
COMPILED_FROM = 1 << 18  # pairs
_PAIRS_A_BLOCK = 1 << 13
_LEAST_PAIRS_A_ROW = 8

Factors = npt.NDArray[np.float32]


class _Block(NamedTuple):
    """Rows of about as many pairs: row [≤R], other side [R, L], weight [R, L]."""

    row: npt.NDArray[np.int64]
    other: IntArray
    weight: npt.NDArray[np.float32]


class RowSolver:
    """Improves the factors of rows while those of the other side stay as they are.

    Both sides of a block are powers of two, so that few shapes occur: for many pairs,
    XLA compiles each of them once, which halves the time.

    Args:
      weights: of observed pairs, a sparse [rows, O].
      settings: of the loss; see `IALS`.
    """

    def __init__(self, weights: csr_matrix, settings: IALSSettings) -> None:
        self._blocks = list(_blocks(weights))
        self._settings = settings
        self._solve = _solve if weights.nnz < COMPILED_FROM else _solve_compiled

    def solved(self, before: Factors, y: Factors, m: Factors) -> Factors:
        """The rows' factors [rows, K] after a few steps.

        Args:
          before: where the steps begin, [rows, K].
          y: of the other side, [O, K].
          m: what the regulariser pulls to, [rows, K], and the factors of rows without
            weights.
        """
        other, x = tf.constant(y), m.copy()
        everyone = self._settings.unobserved_weight * (y.T @ y)

        def solve(block: _Block) -> None:
            rows, padded = block.row, len(block.weight)
            x[rows] = self._solve(
                tf.gather(other, block.other),
                tf.constant(everyone),
                tf.constant(block.weight),
                tf.constant(self._ridge(block, len(y)), tf.float32),
                tf.constant(_longer(before[rows], padded)),
                tf.constant(_longer(m[rows], padded)),
            )[: len(rows)]

        in_threads(solve, self._blocks)
        return x

    def _ridge(self, block: _Block, other: int) -> npt.NDArray[np.float64]:
        """What the regulariser weighs for each row, [R]."""
        settings = self._settings
        pairs = np.count_nonzero(block.weight, axis=1)
        frequency = pairs + settings.unobserved_weight * other
        return np.asarray(settings.regularization * frequency**settings.frequency)


def _blocks(weights: csr_matrix) -> Iterator[_Block]:
    pairs = np.diff(weights.indptr)
    widths = _power_of_two(np.maximum(pairs, _LEAST_PAIRS_A_ROW))
    for width in np.unique(widths[pairs > 0]):
        rows = np.flatnonzero((widths == width) & (pairs > 0))
        at_once = min(max(1, _PAIRS_A_BLOCK // width), int(_power_of_two(len(rows))))
        for first in range(0, len(rows), at_once):
            row = rows[first : first + at_once]
            position = np.arange(width)
            inside = position < _longer(pairs[row], at_once)[:, None]
            start = _longer(weights.indptr[row], at_once)[:, None]
            place = np.where(inside, start + position, 0)
            weight = np.where(inside, weights.data[place], 0.0).astype(np.float32)
            yield _Block(row, weights.indices[place].astype(np.int32), weight)


def _power_of_two(numbers: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The smallest ones that are not below positive numbers.

    >>> _power_of_two([1, 5, 8]).tolist()
    [1, 8, 8]
    """
    return np.left_shift(1, np.ceil(np.log2(numbers)).astype(np.int64))


def _longer(rows: npt.NDArray[np.generic], size: int) -> npt.NDArray[np.generic]:
    """As many rows as asked for, zeros at the end."""
    return np.pad(rows, [(0, size - len(rows)), *[(0, 0)] * (rows.ndim - 1)])


def _solution(
    y: tf.Tensor,
    everyone: tf.Tensor,
    weight: tf.Tensor,
    ridge: tf.Tensor,
    x: tf.Tensor,
    m: tf.Tensor,
) -> tf.Tensor:
    """From x towards A⁻¹ (Yᵀ w + λ m), [R, K], where A = Yᵀ W Y + α₀ YᵀY + λ I.

    By conjugate gradients with A's diagonal as preconditioner, which never form A; as
    in Takács et al., Applications of the Conjugate Gradient Method for Implicit
    Feedback Collaborative Filtering (RecSys 2011). y: [R, L, K]; everyone: α₀ YᵀY
    [K, K].
    """

    def times(p: tf.Tensor) -> tf.Tensor:
        """A p, [R, K]."""
        rated = weight * tf.linalg.matvec(y, p)  # [R, L]
        observed = tf.linalg.matvec(y, rated, transpose_a=True)
        return observed + p @ everyone + ridge[:, None] * p

    diagonal = tf.linalg.matvec(y * y, weight, transpose_a=True)
    diagonal += tf.linalg.diag_part(everyone) + ridge[:, None]  # [R, K]
    left = weight * (1 - tf.linalg.matvec(y, x))  # [R, L]
    r = tf.linalg.matvec(y, left, transpose_a=True) - x @ everyone
    r += ridge[:, None] * (m - x)  # [R, K]
    p, old = r / diagonal, _dot(r, r / diagonal)
    for _ in range(STEPS):
        Ap = times(p)
        step = tf.math.divide_no_nan(old, _dot(p, Ap))
        x, r = x + step * p, r - step * Ap
        new = _dot(r, r / diagonal)
        p, old = r / diagonal + tf.math.divide_no_nan(new, old) * p, new
    return x


def _dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(a * b, axis=-1, keepdims=True)  # [R, K=1]


_solve = tf.function(
    _solution,
    input_signature=[
        tf.TensorSpec([None, None, None], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
    ],
    autograph=False,
)
_solve_compiled = tf.function(_solution, autograph=False, jit_compile=True)
