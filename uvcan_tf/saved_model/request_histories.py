"""The history of a request's users: what they liked before, and what a request adds.

Where likes are not to be remembered, only the sum h of each user's is, and the likes of
a request take the place of all that the user liked before.

Shapes: B users, L given likes, R user rows, D factors of the history.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.factorization.fold_in import FoldIn
from uvcan_tf.features import LIKED_VIDEOS
from uvcan_tf.model.histories import Histories, where
from uvcan_tf.network.co_attention import CoAttentionNetwork
from uvcan_tf.network.facets import Facets
from uvcan_tf.network.liked_videos import Likes
from uvcan_tf.network.representations import UserRepresentation

_ROWS_AT_ONCE: Final = 8192


class RequestHistories(tf.Module):
    """Puts given likes into the representations of users.

    Args:
      network: with a history.
      stored: the likes that the tables have.
      remembers: whether the lists of likes are part of the module.
      fold_in: what gives people of whom training knew no like the prior's factors of
        given likes, where there is a prior.
      known: bool [R], whether training knew a like of the user row.
    """

    def __init__(
        self,
        network: CoAttentionNetwork,
        stored: Histories,
        remembers: bool = True,
        fold_in: FoldIn | None = None,
        known: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        super().__init__()
        self._fold_in = fold_in
        self._is_known = None if known is None else tf.Variable(known, trainable=False)
        self._sums = None if remembers else _sums(network, stored)
        self._stored = stored if remembers else stored.forgotten()
        self._weights = list(network.liked_videos.weights)
        self._sum_of = network.liked_videos.call
        self._factors = network.liked_videos.user_factors
        self._project = network.user_embedding.project
        self._user_of_facets = network.user_of_facets
        self._is_facet = any(facet.name == LIKED_VIDEOS for facet in network.user)
        self._size = network.history
        self._in_product = network.history_product

    def stored(self, rows: tf.Tensor) -> tf.Tensor:
        """h [B, D] of user rows [B], of stored likes alone."""
        if self._sums is not None:
            return tf.gather(self._sums, rows)
        return self._sum_of(self._stored.of(rows), tf.size(rows))

    def nothing(self, batch: tf.Tensor) -> tf.Tensor:
        """h [B, C=1, D] of users without likes."""
        return tf.zeros([batch, 1, self._size])

    def any_known(self, videos: tf.Tensor) -> tf.Tensor:
        """Whether training knows any of the video rows."""
        return tf.reduce_any(self._stored.knows(videos))

    def with_likes(
        self, user: UserRepresentation, rows: tf.Tensor, videos: tf.Tensor
    ) -> UserRepresentation:
        """Users [B, C=1, ...] of rows [B] with the video rows [B, L] as further likes.

        A video counts once, and only where training knows it. A user without any such
        video stays as remembered.
        """
        stored = self._stored.of(rows)
        batch = tf.size(rows)
        place = tf.repeat(tf.range(batch), tf.shape(videos)[1])
        given = Likes(place, tf.reshape(videos, [-1]))
        given = where(given, self._stored.knows(given.video))
        likes = _distinct(
            Likes(
                tf.concat([stored.user, given.user], axis=0),
                tf.concat([stored.video, given.video], axis=0),
            )
        )
        h = self._sum_of(likes, batch)
        if self._sums is not None:
            count = tf.math.bincount(likes.user, minlength=batch)
            h = tf.where(count[:, None] > 0, h, tf.gather(self._sums, rows))
        h = h[:, None]  # [B, C=1, D]
        facets = user.facets
        if self._is_facet:
            x = self._project(LIKED_VIDEOS, h)[..., None, :]
            there = tf.reduce_any(h != 0, axis=-1, keepdims=True)
            facets = Facets(
                tf.concat([facets.X[..., :-1, :], x], axis=-2),
                tf.concat([facets.mask[..., :-1], there], axis=-1),
            )
        history = (self._factors(h),) if self._in_product else ()
        return self._user_of_facets(facets, self._prior(user, rows, likes), history)

    def _prior(
        self, user: UserRepresentation, rows: tf.Tensor, likes: Likes
    ) -> tuple[tf.Tensor, ...]:
        """The prior's x, [B, C=1, P]; of whom training knew no like, by these likes.

        All others keep what training found, which impressions tell, too.
        """
        if self._fold_in is None or self._is_known is None:
            return user.prior
        [x] = user.prior
        batch = tf.size(rows)
        new = tf.math.bincount(likes.user, minlength=batch, maxlength=batch) > 0
        new &= ~tf.gather(self._is_known, rows)
        found = tf.cond(
            tf.reduce_any(new),
            lambda: self._fold_in(likes, batch, x[:, 0])[:, None],
            lambda: x,
        )
        return (tf.where(new[:, None, None], found, x),)


def _sums(network: CoAttentionNetwork, stored: Histories) -> tf.Variable:
    """h [R, D] of all user rows."""
    starts = range(0, stored.rows, _ROWS_AT_ONCE)
    some = [tf.range(s, min(s + _ROWS_AT_ONCE, stored.rows)) for s in starts]
    sums = [network.liked_videos.call(stored.of(r), tf.size(r)) for r in some]
    return tf.Variable(tf.concat(sums, axis=0), trainable=False)


def _distinct(likes: Likes) -> Likes:
    """Each like once."""
    most = tf.reduce_max(likes.video, axis=0, keepdims=True)
    size = tf.cast(tf.reduce_max(tf.concat([most, [0]], axis=0)) + 1, tf.int64)
    keys = tf.unique(
        tf.cast(likes.user, tf.int64) * size + tf.cast(likes.video, tf.int64)
    ).y
    return Likes(tf.cast(keys // size, tf.int32), tf.cast(keys % size, tf.int32))
