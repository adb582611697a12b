"""Negatives for training: unobserved videos, drawn exactly.

No rejection, no observed pair ever. A user with d observed videos p₀ < p₁ < … has V - d
unobserved ones. The r-th of them is r + j, where j counts the observed ones with
p_i - i <= r; so one uniform draw of r and one binary search give a uniform unobserved
video. Videos are rows 1..V.

Shapes: B pairs, C candidate videos, S samples a pair, V videos.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.data.dataset import Pairs

_NEVER = 1e9  # subtracted from a logit, leaves no loss and no gradient


class UnobservedSampler:
    """Draws videos that a user has not observed, inside a graph.

    Args:
      observed: the pairs never to draw.
      users, videos: numbers of known rows.
    """

    def __init__(self, observed: Pairs, users: int, videos: int) -> None:
        rows = observed.by_user(users)
        degree = np.diff(rows.starts)
        if len(degree) and degree.max(initial=0) >= videos:
            raise ValueError(
                f"A user should leave at least one of the {videos} videos unobserved "
                f"to draw from. Received: user row {int(degree.argmax())} has "
                f"{int(degree.max())}."
            )
        position = np.arange(len(rows.videos)) - np.repeat(rows.starts[:-1], degree)
        user = np.repeat(np.arange(len(degree)), degree)
        shifted = rows.videos.astype(np.int64) - 1 - position  # p_i - i, from 0
        self._stride = videos + 1
        self._keys = tf.constant(user * self._stride + shifted, tf.int64)
        self._starts = tf.constant(rows.starts[:-1], tf.int64)
        self._unobserved = tf.constant(videos - degree, tf.int64)

    def __call__(self, user: tf.Tensor, size: int, seed: tf.Tensor) -> tf.Tensor:
        """int32 [B, S]: uniform unobserved videos of user rows int [B].

        Args:
          user: int [B], user rows.
          size: S.
          seed: int [2], of the stateless draw.
        """
        shape = [tf.shape(user)[0], size]
        bits = tf.random.stateless_uniform(shape, seed, 0, 2**31 - 1, tf.int32)
        count = tf.gather(self._unobserved, user)[:, None]  # [B, S=1]
        r = tf.bitwise.right_shift(  # [B, S], uniform in 0..count-1
            tf.cast(bits, tf.int64) * count, tf.constant(31, tf.int64)
        )
        wide = tf.cast(user, tf.int64)[:, None]  # [B, S=1]
        keys = tf.reshape(wide * self._stride + r, [-1])
        found = tf.searchsorted(self._keys, keys, side="right", out_type=tf.int64)
        j = tf.reshape(found, tf.shape(r)) - tf.gather(self._starts, wide)
        return tf.cast(r + j + 1, tf.int32)


class MixedSampler:
    """Negatives of which a share is drawn by popularity, and what that calls for.

    Popular videos are a model's closest rivals; drawn uniformly, they are seldom met.

    Args:
      observed: the pairs never to count; a video's popularity is theirs, and one more.
      users, videos: numbers of known rows.
      popular: the share of the samples that is drawn by popularity.
    """

    def __init__(
        self, observed: Pairs, users: int, videos: int, popular: float
    ) -> None:
        self._uniform = UnobservedSampler(observed, users, videos)
        self._popular = popular
        counts = np.bincount(observed.video, minlength=videos + 1)[1:] + 1.0
        share = counts / counts.sum()  # [V]
        self._up_to = tf.constant(np.cumsum(share)[:-1], tf.float64)
        more = 1 - popular + popular * videos * share
        self._more = tf.constant(np.log([1.0, *more]), tf.float32)  # [1 + V]
        self._stride = videos + 1
        keys = observed.user.astype(np.int64) * self._stride + observed.video
        self._keys = tf.constant(np.sort(keys))

    def __call__(self, user: tf.Tensor, size: int, seed: tf.Tensor) -> tf.Tensor:
        """int32 [B, S]: videos for user rows int [B]; see `UnobservedSampler`."""
        popular = round(self._popular * size)
        shape = [tf.shape(user)[0], popular]
        draw = tf.random.stateless_uniform(shape, seed + [0, 2**20], dtype=tf.float64)
        found = tf.searchsorted(self._up_to, tf.reshape(draw, [-1]), side="right")
        drawn = tf.reshape(found, shape) + 1
        return tf.concat([self._uniform(user, size - popular, seed), drawn], axis=1)

    def correction(self, user: tf.Tensor, videos: tf.Tensor) -> tf.Tensor:
        """What to subtract from the logits [B, C] of an observed video and samples.

        log of how much more often than uniformly a video is drawn, as of a sampled
        softmax (logQ), so that logits still learn to rate as against uniform samples;
        and so much for a sample that happens to be observed that it does not count.
        """
        keys = tf.cast(user, tf.int64)[:, None] * self._stride
        keys = tf.reshape(keys + tf.cast(videos, tf.int64), [-1])
        place = tf.minimum(tf.searchsorted(self._keys, keys), len(self._keys) - 1)
        known = tf.reshape(tf.gather(self._keys, place) == keys, tf.shape(videos))
        first = tf.range(tf.shape(videos)[1]) == 0  # [C]
        return tf.where(known & ~first, _NEVER, tf.gather(self._more, videos))


def leaves_a_video(observed: Pairs, users: int, videos: int) -> npt.NDArray[np.bool_]:
    """bool [n+2]: whether a user row has not observed every video."""
    return np.diff(observed.by_user(users).starts) < videos
