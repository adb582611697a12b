"""The signature `recommend`: the best videos of the catalogue, or of those listed.

Shapes: B users, C candidates, V videos, X excluded videos, K the largest k.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import tensorflow as tf

from uvcan_tf import features as names
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.network.representations import Rated, UserRepresentation
from uvcan_tf.saved_model.evaluate_signature import ByUser
from uvcan_tf.saved_model.optional_inputs import for_each
from uvcan_tf.saved_model.request_users import Users

#: How many videos a request gets that does not say how many.
DEFAULT_K: Final = 10


class BestVideos(tf.Module):
    """Finds the best videos, exactly.

    Args:
      catalogue: of all videos.
      rate: rates user representations with video representations.
      rows: row numbers of ids, by the name of the id.
      users: user representations of a request.
      video_ids: string [V+2], by video row.
      left_out: videos by user that are never recommended.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        rate: Callable[..., Rated],
        rows: Callable[[str, tf.Tensor], tf.Tensor],
        users: Users,
        video_ids: tf.Variable,
        left_out: Sequence[ByUser],
    ) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._rate = rate
        self._rows = rows
        self._users = users
        self._video_ids = video_ids
        self._left_out = list(left_out)

    def recommend(
        self,
        user_id: tf.Tensor,
        k: tf.Tensor,
        exclude_video_ids: tf.Tensor,
        candidate_video_ids: tf.Tensor,
        liked_video_ids: tf.Tensor | None = None,
        **attributes: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """The best k of the catalogue or of the candidates, [B, K].

        Without what the user already liked, or is said to like, what is excluded and,
        if the config says so, what the user was shown and did not like. Candidates
        count once, and only where they are known. A user without candidates, or with
        empty names alone, is recommended out of the whole catalogue; a list of no
        length, [B, C=0], leaves nothing to recommend. Rows that run out of videos, or
        asked for fewer than others, end in "" with score -inf; `found` [B] counts the
        rest. `known_user` [B] says whether the tables had the user.

        Args:
          user_id: string [B].
          k: int32 [B].
          exclude_video_ids, candidate_video_ids: string [B, X] and [B, C].
          liked_video_ids: string [B, L], further likes, if the model has a history.
          attributes: string [B] or [B, L]; see `request_users`.

        Every input but the first may have one row for all users.
        """
        users = self._rows(names.USER_ID, user_id)
        batch = tf.size(users)
        excluded, *given = (
            self._rows(names.VIDEO_ID, for_each(ids, batch))  # [B, *]
            for ids in (exclude_video_ids, liked_video_ids)
            if ids is not None
        )
        user = self._users.representation(users, attributes, *given)
        logits = self._logits(users, user, candidate_video_ids)  # [B, V]
        logits = self._without(logits, users, [excluded, *given])
        found = self._top(logits, for_each(k, batch))
        return {**found, names.KNOWN_USER: users <= self._catalogue.users}

    def _without(
        self, logits: tf.Tensor, users: tf.Tensor, rows: Sequence[tf.Tensor]
    ) -> tf.Tensor:
        """Logits [B, V], lowest at video rows [B, *] and at what is left out."""
        left_out = [self._places_of(users, pairs) for pairs in self._left_out]
        hidden = tf.concat([*left_out, *map(self._places, rows)], axis=0)
        lowest = tf.fill(tf.shape(hidden)[:1], logits.dtype.min)
        return tf.tensor_scatter_nd_update(logits, hidden, lowest)

    def _top(self, logits: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """The outputs for logits [B, V] and k int32 [B]."""
        k = tf.clip_by_value(k, 0, self._catalogue.videos)
        widest = tf.reduce_max(tf.concat([k, [0]], axis=0))
        best, index = tf.math.top_k(logits, widest)
        there = (best > logits.dtype.min) & (tf.range(widest) < k[:, None])
        ids = tf.gather(self._video_ids, index + 1)
        return {
            names.VIDEO_IDS: tf.where(there, ids, ""),
            names.SCORE: tf.where(there, tf.sigmoid(best), -float("inf")),
            names.FOUND: tf.reduce_sum(tf.cast(there, tf.int32), axis=1),
        }

    def _logits(
        self, users: tf.Tensor, user: UserRepresentation, candidates: tf.Tensor
    ) -> tf.Tensor:
        """[B, V]; the lowest number for whatever is no candidate where some are."""
        empty = (tf.shape(candidates)[0] > 0) & (tf.shape(candidates)[1] == 0)
        candidates = for_each(candidates, tf.size(users))
        listed = empty | tf.reduce_any(candidates != "", axis=1)  # [B]

        def rate_listed() -> tf.Tensor:
            rows = self._rows(names.VIDEO_ID, candidates)
            videos = self._catalogue.video_representation(rows)
            logits = self._rate(user, videos).logits  # [B, C]
            shape = [tf.size(users), self._catalogue.videos]
            nothing = tf.fill(shape, logits.dtype.min)
            known = tf.boolean_mask(logits, rows <= self._catalogue.videos)
            return tf.tensor_scatter_nd_update(nothing, self._places(rows), known)

        def rate_every() -> tf.Tensor:
            every = self._catalogue.rate_every(user)
            return tf.cond(
                tf.reduce_any(listed),
                lambda: tf.where(listed[:, None], rate_listed(), every),
                lambda: every,
            )

        return tf.cond(tf.reduce_all(listed), rate_listed, rate_every)

    def _places(self, rows: tf.Tensor) -> tf.Tensor:
        """int32 [*, 2]: (position in the batch, column) of known videos [B, X]."""
        places = tf.where(rows <= self._catalogue.videos)  # [*, 2]
        columns = tf.gather_nd(rows, places) - 1
        return tf.stack([tf.cast(places[:, 0], tf.int32), columns], axis=1)

    def _places_of(self, users: tf.Tensor, pairs: ByUser) -> tf.Tensor:
        """int32 [*, 2]: (position in the batch, column) of the users' pairs."""
        starts, videos = pairs
        places = tf.ragged.range(tf.gather(starts, users), tf.gather(starts, users + 1))
        columns = tf.gather(videos, places.values) - 1
        return tf.stack([tf.cast(places.value_rowids(), tf.int32), columns], axis=1)
