"""Who liked what, as the network takes it: the likes of some users, and parts of them.

Shapes: B users, L likes of them together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.data.dataset import NO_PAIRS, Pairs
from uvcan_tf.network.liked_videos import Likes


class Histories(tf.Module):
    """The likes of every user row, of videos that training knows.

    Args:
      pairs: the likes.
      users: the number of known users.
      known: bool [n+2], whether training knows a video row.
    """

    def __init__(self, pairs: Pairs, users: int, known: npt.NDArray[np.bool_]) -> None:
        super().__init__()
        self._users = users
        self._known = known
        self._is_known = tf.Variable(known, trainable=False)
        self._starts = tf.Variable(tf.zeros([users + 3], tf.int32), trainable=False)
        nothing = tf.zeros([0], tf.int32)
        self._videos = tf.Variable(nothing, shape=[None], trainable=False)
        self.replace(pairs)

    @property
    def rows(self) -> int:
        """How many user rows there are, the missing and the unknown user included."""
        return self._users + 2

    def forgotten(self) -> Histories:
        """The same without any like."""
        return self.but_of(NO_PAIRS)

    def but_of(self, pairs: Pairs) -> Histories:
        """The same users and known videos with other pairs."""
        return Histories(pairs, self._users, self._known)

    def replace(self, pairs: Pairs) -> None:
        """These are the likes from now on."""
        rows = pairs.where(self._known[pairs.video]).by_user(self._users)
        self._starts.assign(rows.starts.astype(np.int32))
        self._videos.assign(rows.videos)

    def knows(self, videos: tf.Tensor) -> tf.Tensor:
        """Whether training knows the video rows."""
        return tf.gather(self._is_known, videos)

    def of(self, users: tf.Tensor) -> Likes:
        """All likes of user rows int [B]."""
        first, last = (tf.gather(self._starts, users + i) for i in (0, 1))
        places = tf.ragged.range(first, last)
        videos = tf.gather(self._videos, places.values)
        return Likes(tf.cast(places.value_rowids(), tf.int32), videos)

    def without(self, users: tf.Tensor, videos: tf.Tensor) -> Likes:
        """The likes of user rows [B], but for one video row of each, [B]."""
        likes = self.of(users)
        return where(likes, likes.video != tf.gather(videos, likes.user))


def where(likes: Likes, mask: tf.Tensor) -> Likes:
    """The likes that the mask [L] selects."""
    return Likes(*(tf.boolean_mask(part, mask) for part in likes))
