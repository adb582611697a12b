"""The videos that a held-out pair is ranked against, drawn without rejection.

A user with d observed videos p₀ < p₁ < … has V - d unobserved ones. The r-th of them is
r + j, where j counts the observed ones with p_i - i <= r; so distinct draws of r, each
with one binary search, give distinct unobserved videos. Videos are rows 1..V.

Shapes: B pairs, S samples a pair, E observed videos of a user, padded.
"""

from __future__ import annotations

import tensorflow as tf

_LOW_BITS = 0xFFFFFFFF


def sampled_candidates(
    user: tf.Tensor,
    video: tf.Tensor,
    observed: tf.Tensor,
    videos: int,
    size: int,
    seed: int,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The videos a held-out pair is ranked against, fixed by seed (section 5.2).

    Drawn without replacement, so that the same pair always meets the same candidates
    whatever method is evaluated, in whatever batch.

    Args:
      user, video: int32 [B], rows of the held-out pairs.
      observed: int32 [B, E], the user's observed videos in ascending order, held-out
        ones included, padded at the end with V + 1 or more.
      videos: V.
      size: S.
      seed: of the draw.

    Returns:
      int32 [B, S] videos, and bool [B, S]: False where fewer than S are unobserved.
    """
    known = tf.cast(observed <= videos, tf.int32)  # [B, E]
    count = videos - tf.reduce_sum(known, axis=-1, keepdims=True)  # [B, S=1]
    index = tf.broadcast_to(tf.range(size)[None, :], [tf.shape(user)[0], size])
    inside = index < count  # [B, S]
    last = tf.maximum(count - 1, 0) + tf.zeros_like(index)
    r = _shuffled(_seeds(user, video, seed), tf.minimum(index, last), last)  # [B, S]
    shifted = observed - 1 - tf.range(tf.shape(observed)[1])  # [B, E], p_i - i
    shifted = tf.where(observed <= videos, shifted, videos + size)
    j = tf.searchsorted(shifted, r, side="right")  # [B, S]
    return r + j + 1, inside


def _seeds(user: tf.Tensor, video: tf.Tensor, seed: int) -> tf.Tensor:
    """int32 [B, 3]: a seed of its own for each pair."""
    by_user = _mixed(_mixed(tf.fill(tf.shape(user), seed)) + user)
    pair = _mixed(by_user + video)  # [B]
    return tf.stack([pair, _mixed(pair + 1), _mixed(pair + 2)], axis=-1)


def _shuffled(seeds: tf.Tensor, index: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
    """int32 [B, S]: where each index 0..last of a row goes, distinct within a row."""
    size = index.shape[1]
    moved = tf.raw_ops.RandomIndexShuffle(
        index=tf.reshape(index, [-1]),
        seed=tf.repeat(seeds, size, axis=0),
        max_index=tf.reshape(last, [-1]),
        rounds=4,
    )
    return tf.reshape(moved, [-1, size])


def _mixed(number: tf.Tensor) -> tf.Tensor:
    """int32 of any shape with every bit stirred (MurmurHash3's finaliser).

    The shuffle's own key schedule leaves neighbouring seeds correlated.
    """
    x = tf.bitwise.bitwise_and(tf.cast(number, tf.int64), _LOW_BITS)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = tf.bitwise.bitwise_xor(
            x, tf.bitwise.right_shift(x, tf.cast(shift, x.dtype))
        )
        x = tf.bitwise.bitwise_and(x * factor, _LOW_BITS)
    return tf.bitcast(tf.cast(x, tf.uint32), tf.int32)
