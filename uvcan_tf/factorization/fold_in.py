"""The prior's factors of people whom the factorisation never saw, by their likes.

Shapes: B users, L likes of them together, n pairs of one, V videos, P factors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.config import IALSSettings
from uvcan_tf.network.liked_videos import Likes, together

#: How many likes of everybody's a person is taken to have beside the own ones: one or
#: two likes tell less than popularity does. Chosen on long views (docs/results.md).
EVERYBODYS_LIKES: Final = 4.0


class FoldIn(tf.Module):
    """x of minimal loss while the videos' y stay as they are, in closed form.

        x = (Σ_S w y yᵀ + c Σ p y yᵀ + α₀ YᵀY + λ' I)⁻¹ (Σ_S w y + c Σ p y + λ' π m),
        λ' = λ (|S| + α₀ V)^ν

    over the pairs S of a person, with the settings of iALS: likes weigh 1, and what was
    skipped as much as impressions do in training. m is what attributes tell. Beside the
    own pairs, a person likes what everybody does, c times as the share p of each video.

    Args:
      y_of: y [L, P] of video rows int [L].
      Y: y of all V videos, [V, P].
      likes: of each video, [V].
      settings: of the factorisation.
      weight: s; what is found is s x.
      weight_of_means: s'; what is given is s' m. By default s.

    Attributes:
      weight_of_skipped: 0 where what was skipped says nothing.

    Call: (likes, B, s' m [B, P] or None, skipped or None) -> s x [B, P]. No pair may be
      both liked and skipped.
    """

    def __init__(
        self,
        y_of: Callable[[tf.Tensor], tf.Tensor],
        Y: npt.NDArray[np.float32],
        likes: npt.NDArray[Any],
        settings: IALSSettings,
        weight: float = 1.0,
        weight_of_means: float | None = None,
    ) -> None:
        super().__init__()
        self._y_of, self._weight = y_of, weight
        self._regularization = settings.regularization
        self._frequency = settings.frequency
        self._pull = settings.attribute_pull * weight / (weight_of_means or weight or 1)
        self._unobserved = settings.unobserved_weight * len(Y)
        self.weight_of_skipped = settings.impression_weight
        y = Y.astype(np.float64)
        crowd = EVERYBODYS_LIKES * likes / max(1, likes.sum())  # [V]
        A = settings.unobserved_weight * (y.T @ y) + (y * crowd[:, None]).T @ y
        self._A = tf.Variable(A.astype(np.float32), trainable=False)
        self._b = tf.Variable((crowd @ y).astype(np.float32), trainable=False)

    def __call__(
        self,
        likes: Likes,
        users: tf.Tensor,
        means: tf.Tensor | None = None,
        skipped: Likes | None = None,
    ) -> tf.Tensor:
        P = self._A.shape[0]
        if means is None:
            means = tf.zeros([users, P])
        weights = tf.ones_like(likes.user, tf.float32)
        if skipped is not None:
            less = tf.fill(tf.shape(skipped.user), self.weight_of_skipped)
            weights = tf.concat([weights, less], axis=0)
            likes = together(likes, skipped)
        order = tf.argsort(likes.user, stable=True)
        counts = tf.math.bincount(likes.user, minlength=users, maxlength=users)
        videos, weights = (
            tf.RaggedTensor.from_row_lengths(tf.gather(part, order), counts)
            for part in (likes.video, weights)
        )

        def of_user(user: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
            seen, weight, mean = user
            y = self._y_of(seen)  # [n, P]
            weighed = weight[:, None] * y
            pairs = tf.cast(tf.size(seen), tf.float32) + self._unobserved
            ridge = self._regularization * pairs**self._frequency
            A = tf.matmul(y, weighed, transpose_a=True) + self._A + ridge * tf.eye(P)
            b = self._weight * (tf.reduce_sum(weighed, axis=0) + self._b)
            b += ridge * self._pull * mean
            return tf.linalg.cholesky_solve(tf.linalg.cholesky(A), b[:, None])[:, 0]

        spec = tf.TensorSpec([P], tf.float32)
        return tf.map_fn(of_user, (videos, weights, means), fn_output_signature=spec)
