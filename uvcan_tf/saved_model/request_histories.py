"""The history of a request's users: what they liked before, and what a request adds.

Where likes are not to be remembered, only the sum h of each user's is, and the likes of
a request take the place of all that the user liked before.

Shapes: B users, L given likes, S given skipped videos, R user rows, D factors of the
history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.factorization.fold_in import FoldIn
from uvcan_tf.features import LIKED_VIDEOS, VIDEO_ID
from uvcan_tf.model.histories import Histories
from uvcan_tf.network.co_attention import CoAttentionNetwork
from uvcan_tf.network.facets import Facets
from uvcan_tf.network.liked_videos import Likes, together
from uvcan_tf.network.representations import UserRepresentation
from uvcan_tf.saved_model.optional_inputs import for_each

_ROWS_AT_ONCE: Final = 8192


class Given(NamedTuple):
    """Video rows that a request tells of its users, where the signature takes them.

    Attributes:
      liked: int32 [B, L].
      skipped: int32 [B, S], shown and not liked.
    """

    liked: tf.Tensor
    skipped: tf.Tensor | None


def given_rows(
    rows: Callable[[str, tf.Tensor], tf.Tensor],
    batch: tf.Tensor,
    liked: tf.Tensor | None,
    skipped: tf.Tensor | None,
) -> Given | None:
    """The rows of ids [B or 1, *] of B users; None where no likes are taken."""
    found = [
        None if ids is None else rows(VIDEO_ID, for_each(ids, batch))
        for ids in (liked, skipped)
    ]
    return None if found[0] is None else Given(*found)


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

    @property
    def knows_skipped(self) -> bool:
        """Whether it matters what a request says was skipped."""
        return self._fold_in is not None and self._fold_in.weight_of_skipped > 0

    def any_known(self, given: Given) -> tf.Tensor:
        """Whether training knows any of the videos."""
        known = [
            tf.reduce_any(self._stored.knows(videos))
            for videos in given
            if videos is not None
        ]
        return tf.reduce_any(known)

    def with_given(
        self, user: UserRepresentation, rows: tf.Tensor, given: Given
    ) -> UserRepresentation:
        """Users [B, C=1, ...] of rows [B], who further liked and skipped these.

        A video counts once, as liked if it is both, and only where training knows it.
        A user without any such video stays as remembered.
        """
        batch = tf.size(rows)
        likes = _distinct(together(self._stored.of(rows), self._known(given.liked)))
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
        skipped = None
        if given.skipped is not None:
            both = _distinct(together(likes, self._known(given.skipped)))
            skipped = Likes(*(part[tf.size(likes.user) :] for part in both))
        prior = self._prior(user, rows, likes, skipped)
        return self._user_of_facets(facets, prior, history)

    def _known(self, videos: tf.Tensor) -> Likes:
        """The video rows [B, L] that training knows, by user."""
        places = tf.where(self._stored.knows(videos))
        return Likes(tf.cast(places[:, 0], tf.int32), tf.gather_nd(videos, places))

    def _prior(
        self,
        user: UserRepresentation,
        rows: tf.Tensor,
        likes: Likes,
        skipped: Likes | None,
    ) -> tuple[tf.Tensor, ...]:
        """The prior's x, [B, C=1, P]; of whom training knew no like, by these videos.

        All others keep what training found.
        """
        if self._fold_in is None or self._is_known is None:
            return user.prior
        [x] = user.prior
        batch = tf.size(rows)
        pairs = likes if skipped is None else together(likes, skipped)
        new = tf.math.bincount(pairs.user, minlength=batch, maxlength=batch) > 0
        new &= ~tf.gather(self._is_known, rows)
        found = tf.cond(
            tf.reduce_any(new),
            lambda: self._fold_in(likes, batch, x[:, 0], skipped)[:, None],
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
    """Each like once, in the order of the first."""
    most = tf.reduce_max(likes.video, axis=0, keepdims=True)
    size = tf.cast(tf.reduce_max(tf.concat([most, [0]], axis=0)) + 1, tf.int64)
    keys = tf.unique(
        tf.cast(likes.user, tf.int64) * size + tf.cast(likes.video, tf.int64)
    ).y
    return Likes(tf.cast(keys // size, tf.int32), tf.cast(keys % size, tf.int32))
