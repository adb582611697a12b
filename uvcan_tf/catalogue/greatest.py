"""The places of the greatest of very many numbers.

Shapes: B rows, W numbers of a row, C blocks of it, N places.
"""

from __future__ import annotations

from typing import Final

import tensorflow as tf

#: Numbers of a block; W should be a multiple of it.
BLOCK: Final = 64


def greatest(numbers: tf.Tensor, count: tf.Tensor | int) -> tf.Tensor:
    """Places int32 [B, N] of the N greatest of [B, W], as `tf.math.top_k` has them.

    The N blocks of the greatest maxima hold all of them: each block that comes before
    that of a number has a number that comes before it. Only their numbers are sorted,
    which over a million takes a fourth of the time.
    """
    B, C = tf.shape(numbers)[0], tf.shape(numbers)[1] // BLOCK
    blocks = tf.reshape(numbers, [B, C, BLOCK])
    maxima = tf.reduce_max(blocks, axis=2)  # [B, C]
    chosen = tf.math.top_k(maxima, tf.minimum(count, C)).indices
    chosen = tf.sort(chosen, axis=1)  # of equal numbers, the first comes first
    among = tf.gather(blocks, chosen, batch_dims=1)
    among = tf.reshape(among, [B, tf.shape(chosen)[1] * BLOCK])
    best = tf.math.top_k(among, count).indices  # [B, N]
    block = tf.gather(chosen, best // BLOCK, batch_dims=1)
    return block * BLOCK + best % BLOCK
