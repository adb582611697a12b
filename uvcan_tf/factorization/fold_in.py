"""The prior's factors of people whom the factorisation never saw, by their likes.

Shapes: B users, L likes of them together, V videos, P factors.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.config import IALSSettings
from uvcan_tf.network.liked_videos import Likes


class FoldIn(tf.Module):
    """x of minimal loss while the videos' y stay as they are, in closed form.

        x = (Σ_S y yᵀ + α₀ YᵀY + λ' I)⁻¹ (Σ_S y + λ' π m),  λ' = λ (|S| + α₀ V)^ν

    over the likes S of a person, with the settings of iALS; m is what attributes tell.

    Args:
      y_of: y [L, P] of video rows int [L].
      Y: y of all V videos, [V, P].
      settings: of the factorisation.
      weight: s; what is given and found is s x and s m.

    Call: (likes, B, s m [B, P] or None) -> s x [B, P]; without likes, by m alone.
    """

    def __init__(
        self,
        y_of: Callable[[tf.Tensor], tf.Tensor],
        Y: npt.NDArray[np.float32],
        settings: IALSSettings,
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        self._y_of, self._weight = y_of, weight
        self._regularization = settings.regularization
        self._frequency = settings.frequency
        self._pull = settings.attribute_pull
        self._unobserved = settings.unobserved_weight * len(Y)
        everyone = settings.unobserved_weight * (Y.T.astype(np.float64) @ Y)
        self._everyone = tf.Variable(everyone.astype(np.float32), trainable=False)

    def __call__(
        self, likes: Likes, users: tf.Tensor, means: tf.Tensor | None = None
    ) -> tf.Tensor:
        P = self._everyone.shape[0]
        if means is None:
            means = tf.zeros([users, P])
        order = tf.argsort(likes.user, stable=True)
        counts = tf.math.bincount(likes.user, minlength=users, maxlength=users)
        videos = tf.RaggedTensor.from_row_lengths(tf.gather(likes.video, order), counts)

        def of_user(user: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            liked, mean = user
            y = self._y_of(liked)
            pairs = tf.cast(tf.size(liked), tf.float32) + self._unobserved
            ridge = self._regularization * pairs**self._frequency
            A = tf.matmul(y, y, transpose_a=True) + self._everyone + ridge * tf.eye(P)
            b = self._weight * tf.reduce_sum(y, axis=0) + ridge * self._pull * mean
            return tf.linalg.cholesky_solve(tf.linalg.cholesky(A), b[:, None])[:, 0]

        spec = tf.TensorSpec([P], tf.float32)
        return tf.map_fn(of_user, (videos, means), fn_output_signature=spec)
