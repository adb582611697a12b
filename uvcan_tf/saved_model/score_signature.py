"""The signatures of whole examples: raw rows in, scores out.

Shapes: N examples, P factors of the prior.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from uvcan_tf import features as names
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.data.encoding import padded, raw_spec
from uvcan_tf.factorization.attribute_means import with_cold_start
from uvcan_tf.model.row_tables import identity_column
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.request_histories import RequestHistories
from uvcan_tf.saved_model.request_users import Transform


class ExampleScores(tf.Module):
    """Scores raw rows, known to the tables or not.

    Args:
      model: as trained.
      transform: of raw features.
      catalogue: has the prior's factors of known rows.
      histories: of known users, where those count.
    """

    def __init__(
        self,
        model: UVCAN,
        transform: Transform,
        catalogue: Catalogue,
        histories: RequestHistories | None,
    ) -> None:
        super().__init__()
        self._features = model.dataset.features
        self._call = model.network.call
        self._transform = transform
        self._catalogue = catalogue
        self._histories = histories
        self._means = model.prior_means
        self._new_videos = model.tables.new_videos
        self._of_new_videos = self._new_videos and self._new_videos.means  # is saved
        known = (model.tables.known_users, model.dataset.trained_videos)
        self._identities = {
            name: tf.Variable(identity_column(rows), trainable=False)
            for name, rows in zip((names.USER_ID, names.VIDEO_ID), known, strict=True)
        }

    def score(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw `tf.Example`s [N] -> score [N], from the features alone."""
        raw = tf.io.parse_example(examples, raw_spec(self._features))
        rows = {n: padded(column) for n, column in self._transform(raw).items()}
        columns = {**rows, **self._known(rows)}
        user = {name: columns[name][:, None] for name in self._features.user_facets}
        video = {name: columns[name][:, None] for name in self._features.video_facets}
        if self._histories is not None:
            h = self._histories.stored(rows[names.USER_ID])
            user[names.LIKED_VIDEOS] = h[:, None]
        if self._new_videos is not None:
            video[names.LIKED_VIDEOS] = self._new_videos.factors(video)
        for x in self._prior(names.USER_ID, rows[names.USER_ID], user):
            user[names.PRIOR] = x
        for y in self._prior(names.VIDEO_ID, rows[names.VIDEO_ID], video):
            video[names.PRIOR] = y
        return {names.SCORE: tf.sigmoid(self._call(user, video).logits[:, 0])}

    def both(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """The score [N] as a regression, and as two classes [N, 2]."""
        score = self.score(inputs)[names.SCORE]
        scores = tf.stack([1.0 - score, score], axis=1)  # [N, 2]
        labels = tf.constant([names.CLASS_LABELS])
        return {
            names.OUTPUTS: score,
            names.SCORES: scores,
            names.CLASSES: tf.broadcast_to(labels, tf.shape(scores)),
        }

    def _prior(
        self, side: str, rows: tf.Tensor, columns: Mapping[str, tf.Tensor]
    ) -> tuple[tf.Tensor, ...]:
        """The prior's factors [N, C=1, P], if there is one, of one side's rows [N]."""
        of_users = side == names.USER_ID
        catalogue = self._catalogue
        representations = (
            catalogue.user_representation
            if of_users
            else catalogue.video_representation
        )
        size = catalogue.users if of_users else catalogue.videos
        rows = rows[:, None]
        cold_start = (rows == 0) | (rows > size)
        means = self._means[0 if of_users else 1]
        return with_cold_start(representations(rows).prior, cold_start, means, columns)

    def _known(self, rows: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Identities of encoded ids; one that training never saw is unknown."""
        return {name: tf.gather(i, rows[name]) for name, i in self._identities.items()}
