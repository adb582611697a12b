"""iALS as tuned in Rendle et al., Revisiting the Performance of iALS (RecSys 2022).

`implicit` fits the same loss, but its regulariser cannot follow the frequencies, which
decides how good the method is. Shapes: B users, V videos, K factors.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.sparse import csr_matrix

from uvcan_tf.config import IALSSettings
from uvcan_tf.data.dataset import Dataset, IntArray
from uvcan_tf.data.matrices import likes_of, observed_of
from uvcan_tf.factorization.attribute_matrix import attribute_matrices
from uvcan_tf.factorization.attribute_regression import AttributeRegression
from uvcan_tf.factorization.fold_in import FoldIn
from uvcan_tf.factorization.row_solver import STEPS, Factors, RowSolver
from uvcan_tf.network.liked_videos import Likes

#: Times that users and videos are solved for in turn, from factors of nearly as many
#: pairs: more change nothing (docs/results.md).
_FROM_OTHERS: Final = 3


class IALS:
    """Factors that minimise Σ_observed w (1 - x·y)² + α₀ Σ_all (x·y)² + λ(|x|², |y|²).

    Where a pair is observed with weight w, both sums count it, as in the article's
    equation (2). With `attribute_ridge`, a row without weights has what its attributes
    tell, m; with `attribute_pull` π, λ weighs |x - π m|² of every row.

    Args:
      dataset: its training pairs count, and its impressions.
      settings: of the loss.
      start: factors of fewer pairs to begin with, [n+2, K] each, instead of noise.

    Attributes:
      users: float32 [n+2, K].
      videos: float32 [V, K].
      likes: of each video, [V].
      regressions: of users and of videos, where attributes count.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: IALSSettings,
        start: tuple[Factors, Factors] | None = None,
    ) -> None:
        observed = observed_of(dataset, settings.impression_weight)
        self.likes = likes_of(dataset).getnnz(axis=0)
        self.regressions: tuple[AttributeRegression, AttributeRegression] | None = None
        if settings.attribute_ridge:
            of_users, of_videos = attribute_matrices(dataset)
            ridge = settings.attribute_ridge
            self.regressions = (
                AttributeRegression(of_users, _fitted(observed)[1:-1], ridge),
                AttributeRegression(of_videos, _fitted(observed.T), ridge),
            )
        self._settings = settings
        self.users, self.videos = self._factorise(observed, start)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]; zeros for users without training pairs or attributes."""
        return self.users[users] @ self.videos.T

    def scores_of_likes(self, likes: csr_matrix) -> npt.NDArray[np.float32]:
        """float32 [B, V] of people known by their likes alone, a sparse [B, V]."""
        table = tf.constant(self.videos)

        def y_of(rows: tf.Tensor) -> tf.Tensor:
            return tf.gather(table, rows)

        fold_in = FoldIn(y_of, self.videos, self.likes, self._settings)
        users, videos = (tf.constant(part, tf.int32) for part in likes.nonzero())
        x = fold_in(Likes(users, videos), tf.constant(likes.shape[0]))
        scores: npt.NDArray[np.float32] = x.numpy() @ self.videos.T
        return scores

    def _factorise(
        self, observed: csr_matrix, start: tuple[Factors, Factors] | None
    ) -> tuple[Factors, Factors]:
        settings = self._settings
        rows = RowSolver(observed, settings)
        columns = RowSolver(observed.T.tocsr(), settings)
        if start is None:
            x, y = self._noise(observed)
        else:
            x, y = start[0], start[1][1:-1].copy()
        y[~_fitted(observed.T)] = 0.0
        m_x, m_y = np.zeros_like(x), np.zeros_like(y)
        most = settings.iterations
        for _ in range(most if start is None else min(most, _FROM_OTHERS)):
            x = rows.solved(x, y, m_x)
            if settings.attribute_pull and self.regressions:
                self.regressions[0].fit(x[1:-1], STEPS)
                m_x[1:-1] = settings.attribute_pull * self.regressions[0].predicted()
            y = columns.solved(y, x, m_y)
            if settings.attribute_pull and self.regressions:
                self.regressions[1].fit(y, STEPS)
                m_y = settings.attribute_pull * self.regressions[1].predicted()
        if self.regressions:
            fitted = _fitted(observed), _fitted(observed.T)
            x[1:-1] = _completed(x[1:-1], fitted[0][1:-1], self.regressions[0])
            y = _completed(y, fitted[1], self.regressions[1])
        return x, y

    def _noise(self, observed: csr_matrix) -> tuple[Factors, Factors]:
        K = self._settings.factors
        draw = np.random.default_rng(self._settings.seed)
        y = draw.normal(0.0, 0.1 / np.sqrt(K), [observed.shape[1], K])
        return np.zeros([observed.shape[0], K], np.float32), y.astype(np.float32)


def _fitted(observed: csr_matrix) -> npt.NDArray[np.bool_]:
    """Whether a row has a weight."""
    return observed.getnnz(axis=1) > 0


def _completed(
    factors: Factors, fitted: npt.NDArray[np.bool_], regression: AttributeRegression
) -> Factors:
    """The same with what attributes tell in place of rows that have no weight."""
    regression.fit(factors)
    return np.where(fitted[:, None], factors, regression.predicted())
