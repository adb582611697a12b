"""The signature `recommend`: the best videos of the catalogue, or of those listed.

Shapes: B users, C listed videos, V videos, X excluded videos, K the largest k, W videos
of the first stage with padding, N candidates that it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import tensorflow as tf

from uvcan_tf import features as names
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.catalogue.first_stage import FirstStage
from uvcan_tf.network.representations import Rated, UserRepresentation
from uvcan_tf.saved_model.evaluate_signature import ByUser
from uvcan_tf.saved_model.optional_inputs import for_each
from uvcan_tf.saved_model.places import lowered, places, places_of
from uvcan_tf.saved_model.request_histories import Given, given_rows
from uvcan_tf.saved_model.request_users import Users

#: How many videos a request gets that does not say how many, if there are as many.
DEFAULT_K: Final = 10


class BestVideos(tf.Module):
    """Finds the best videos: exactly, or among candidates of a first stage.

    Args:
      catalogue: of all videos.
      rate: rates user representations with video representations.
      rows: row numbers of ids, by the name of the id.
      users: user representations of a request.
      video_ids: string [V+2], by video row.
      left_out: videos by user that are never recommended.
      hides_skipped: whether what a request says was skipped is not recommended.
      candidates: how many videos of a larger catalogue a first stage finds for each
        user; all are rated without.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        rate: Callable[..., Rated],
        rows: Callable[[str, tf.Tensor], tf.Tensor],
        users: Users,
        video_ids: tf.Variable,
        left_out: Sequence[ByUser],
        hides_skipped: bool,
        candidates: int | None = None,
    ) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._rate = rate
        self._rows = rows
        self._users = users
        self._video_ids = video_ids
        self._left_out = list(left_out)
        self._hides_skipped = hides_skipped
        self._count = candidates or catalogue.videos
        self._stage: FirstStage | None = None
        if self._count < catalogue.videos:
            self._stage = FirstStage(catalogue)

    def recommend(
        self,
        user_id: tf.Tensor,
        k: tf.Tensor,
        exclude_video_ids: tf.Tensor,
        candidate_video_ids: tf.Tensor,
        liked_video_ids: tf.Tensor | None = None,
        skipped_video_ids: tf.Tensor | None = None,
        **attributes: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """The best k of the catalogue or of the listed candidates, [B, K].

        Without what the user already liked, or is said to like, what is excluded and,
        if the config says so, what the user skipped, or is said to have. Candidates
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
          skipped_video_ids: string [B, S], if its prior knows impressions, too.
          attributes: string [B] or [B, L]; see `request_users`.

        Every input but the first may have one row for all users.
        """
        users = self._rows(names.USER_ID, user_id)
        batch = tf.size(users)
        given = given_rows(self._rows, batch, liked_video_ids, skipped_video_ids)
        user = self._users.representation(users, attributes, given)
        excluded = self._rows(names.VIDEO_ID, for_each(exclude_video_ids, batch))
        hidden = self._hidden(users, [excluded, *self._told(given)])
        find = self._of_every if self._stage is None else self._of_candidates
        found = find(user, candidate_video_ids, hidden, for_each(k, batch))
        return {**found, names.KNOWN_USER: users <= self._catalogue.users}

    @property
    def candidates(self) -> int | None:
        """How many of a larger catalogue are rated for each user, if not all."""
        return None if self._stage is None else self._count

    @property
    def default_k(self) -> int:
        """How many videos a request gets that does not say how many."""
        return min(DEFAULT_K, self.candidates or DEFAULT_K)

    def exactly(self, user_id: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `recommend` of ids [B] alone, but with every video rated."""
        users = self._rows(names.USER_ID, user_id)
        batch = tf.size(users)
        user = self._users.representation(users, {})
        nothing, k = tf.fill([batch, 1], ""), tf.fill([batch], self.default_k)
        return self._of_every(user, nothing, self._hidden(users, []), k)

    def _told(self, given: Given | None) -> list[tf.Tensor]:
        """Video rows [B, *] that are not recommended, as the request tells of them."""
        if given is None:
            return []
        if given.skipped is None or not self._hides_skipped:
            return [given.liked]
        return [given.liked, given.skipped]

    def _hidden(self, users: tf.Tensor, rows: Sequence[tf.Tensor]) -> tf.Tensor:
        """int32 [*, 2]: places of what is left out and of the video rows [B, *]."""
        left_out = [places_of(users, pairs) for pairs in self._left_out]
        return tf.concat([*left_out, *map(self._places, rows)], axis=0)

    def _places(self, rows: tf.Tensor) -> tf.Tensor:
        return places(rows, self._catalogue.videos)

    def _top(
        self, logits: tf.Tensor, k: tf.Tensor, rows: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """The outputs for k int32 [B] and logits [B, V], or [B, N] of video rows."""
        k = tf.clip_by_value(k, 0, tf.shape(logits)[1])
        widest = tf.reduce_max(tf.concat([k, [0]], axis=0))
        best, index = tf.math.top_k(logits, widest)
        there = (best > logits.dtype.min) & (tf.range(widest) < k[:, None])
        found = index + 1 if rows is None else tf.gather(rows, index, batch_dims=1)
        ids = tf.gather(self._video_ids, found)
        return {
            names.VIDEO_IDS: tf.where(there, ids, ""),
            names.SCORE: tf.where(there, tf.sigmoid(best), -float("inf")),
            names.FOUND: tf.reduce_sum(tf.cast(there, tf.int32), axis=1),
        }

    def _of_every(
        self,
        user: UserRepresentation,
        candidates: tf.Tensor,
        hidden: tf.Tensor,
        k: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """The outputs for k int32 [B], of all videos but the hidden ones."""
        logits = self._logits(user, candidates, tf.size(k))
        return self._top(lowered(logits, hidden), k)

    def _logits(
        self, user: UserRepresentation, candidates: tf.Tensor, batch: tf.Tensor
    ) -> tf.Tensor:
        """[B, V]; the lowest number for whatever is no candidate where some are."""
        candidates, listed = _listed(candidates, batch)

        def rate_listed() -> tf.Tensor:
            rows = self._rows(names.VIDEO_ID, candidates)
            videos = self._catalogue.video_representation(rows)
            logits = self._rate(user, videos).logits  # [B, C]
            shape = [batch, self._catalogue.videos]
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

    def _of_candidates(
        self,
        user: UserRepresentation,
        candidates: tf.Tensor,
        hidden: tf.Tensor,
        k: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """The outputs for k int32 [B], of the videos that the first stage finds.

        What is hidden is not found, and whatever is listed is. So a list is rated as
        without a first stage, and what else a batch asks for changes nothing.
        """
        assert self._stage is not None
        candidates, listed = _listed(candidates, tf.size(k))
        k = self._checked(k, listed)
        products = self._stage.products(user)  # [B, W]

        def of_listed() -> tf.Tensor:
            some = self._places(self._rows(names.VIDEO_ID, candidates))
            nothing = tf.fill(tf.shape(products), products.dtype.min)
            values = tf.gather_nd(products, some)
            only = tf.tensor_scatter_nd_update(nothing, some, values)
            return tf.where(listed[:, None], only, products)

        products = tf.cond(tf.reduce_any(listed), of_listed, lambda: products)
        longest = tf.maximum(tf.shape(candidates)[1], self._count)
        counts = tf.where(listed, longest, self._count)
        rows = self._stage.best(user, lowered(products, hidden), counts)  # [B, N]
        rows = tf.sort(rows, axis=1)  # of equal scores, the first row comes first
        logits = self._catalogue.rate_each(user, rows)
        known = rows <= self._catalogue.videos
        logits = tf.where(known, logits, logits.dtype.min)
        return self._top(logits, k, rows)

    def _checked(self, k: tf.Tensor, listed: tf.Tensor) -> tf.Tensor:
        """k [B], once none of it is above the number of candidates."""
        most = tf.reduce_max(tf.concat([tf.where(listed, 0, k), [0]], axis=0))
        sentence = tf.strings.join(
            [
                f"`k` should be at most {self._count}, the number of candidates that "
                "`recommend` rates in this model. Received: k=",
                tf.strings.as_string(most),
                ". Ask for fewer, or export with more `recommendation.candidates`.",
            ]
        )
        with tf.control_dependencies(
            [tf.debugging.Assert(most <= self._count, [sentence])]
        ):
            return tf.identity(k)


def _listed(candidates: tf.Tensor, batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Listed ids [B, C], and whose list counts, [B]."""
    empty = (tf.shape(candidates)[0] > 0) & (tf.shape(candidates)[1] == 0)
    candidates = for_each(candidates, batch)
    return candidates, empty | tf.reduce_any(candidates != "", axis=1)
