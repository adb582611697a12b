"""Places in a table of numbers of each user with each video.

Shapes: B users, V videos, X videos of each user.
"""

from __future__ import annotations

import tensorflow as tf

from uvcan_tf.saved_model.evaluate_signature import ByUser


def places(rows: tf.Tensor, videos: int) -> tf.Tensor:
    """int32 [*, 2]: (position in the batch, column) of known video rows [B, X].

    Args:
      rows: of the tables and of none.
      videos: V, the last row of a known one.
    """
    found = tf.where(rows <= videos)  # [*, 2]
    columns = tf.gather_nd(rows, found) - 1
    return tf.stack([tf.cast(found[:, 0], tf.int32), columns], axis=1)


def places_of(users: tf.Tensor, pairs: ByUser) -> tf.Tensor:
    """int32 [*, 2]: (position in the batch, column) of the pairs of user rows [B]."""
    starts, videos = pairs
    found = tf.ragged.range(tf.gather(starts, users), tf.gather(starts, users + 1))
    columns = tf.gather(videos, found.values) - 1
    return tf.stack([tf.cast(found.value_rowids(), tf.int32), columns], axis=1)


def lowered(numbers: tf.Tensor, some: tf.Tensor) -> tf.Tensor:
    """The numbers [B, V], lowest at places [*, 2]."""
    lowest = tf.fill(tf.shape(some)[:1], numbers.dtype.min)
    return tf.tensor_scatter_nd_update(numbers, some, lowest)
