"""What is saved: the catalogue, the ids, who liked what, and the transform.

Shapes: N examples, B users, C candidates, V videos, X excluded videos, M and N facets
of a video and a user.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from uvcan_tf import features as names
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.data.encoding import Encoded, raw_spec
from uvcan_tf.factorization.attribute_means import with_cold_start
from uvcan_tf.model.row_tables import identity_column
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.asset_lookup import AssetLookup
from uvcan_tf.saved_model.evaluate_signature import ByUser, PairEvaluator
from uvcan_tf.saved_model.request_users import (
    Attributes,
    Transform,
    Users,
    attribute_specs,
)

_USERS: Final = tf.TensorSpec([None], tf.string, name=names.USER_ID)
_EXAMPLES: Final = tf.TensorSpec([None], tf.string, name=names.EXAMPLES)
_INPUTS: Final = tf.TensorSpec([None], tf.string, name=names.INPUTS)


class Recommender(tf.Module):
    """Scores, ranks, recommends and explains; `signatures` is its whole interface.

    Args:
      model: as trained.
      dataset: all training pairs; `recommend` leaves them out.
      transform: a trackable that encodes raw features as `encoding.encode` does.
      config: the protocol of the signature `evaluate`, and what `recommend` leaves out.
      folder: for vocabularies, until the module is saved.
    """

    def __init__(
        self,
        model: UVCAN,
        dataset: Dataset,
        transform: Transform,
        config: Config,
        folder: Path,
    ) -> None:
        super().__init__()
        self._features = dataset.features
        self._transform = transform
        self._catalogue = Catalogue(model)
        self._call, self._rate = model.network.call, model.network.rate
        ids = {
            names.USER_ID: dataset.users.ids,
            names.VIDEO_ID: dataset.videos.ids,
        }
        self._lookup = AssetLookup(ids, folder)
        self._video_ids = _fixed(tf.constant(["", *dataset.videos.ids, ""], tf.string))
        trained = model.dataset
        self._identities = {
            names.USER_ID: _fixed(identity_column(trained.trained_users)),
            names.VIDEO_ID: _fixed(identity_column(trained.trained_videos)),
        }
        liked = _by_user(dataset.train, dataset)
        skipped = _by_user(dataset.impressions, dataset)
        self._left_out = [liked]
        if config.recommends_without_skipped_impressions:
            self._left_out.append(skipped)
        last = skipped if config.ranks_skipped_impressions_last else None
        self._means = model.prior_means
        self._users = Users(
            self._features,
            self._catalogue,
            model.network,
            self._transform,
            self._means[0],
        )
        self._evaluator = PairEvaluator(
            self._catalogue, self._rows, liked, last, config.evaluation
        )

    def signatures(self) -> dict[str, Any]:
        """Every signature as a function to save.

        `rank` stands beside its twin with optional inputs because a server that joins
        requests into batches refuses inputs of different lengths, and thereby any
        that is left out.

        `classify` and `regress` are one function, so that one run serves both;
        `export` gives each its own outputs.
        """
        attributes = attribute_specs(self._features)
        videos = tf.TensorSpec([None, None], tf.string, name=names.VIDEO_IDS)
        video = tf.TensorSpec([None], tf.string, name=names.VIDEO_ID)
        k = tf.TensorSpec([], tf.int32, name=names.K)
        excluded, listed = (
            tf.TensorSpec([None, None], tf.string, name=name)
            for name in (names.EXCLUDE_VIDEO_IDS, names.CANDIDATE_VIDEO_IDS)
        )
        self._judge = _function(self.judge, [_INPUTS])
        self._score = _function(self.score_examples, [_EXAMPLES])
        self._rank = _function(self.rank, [_USERS, videos])
        self._told = _function(self.rank, [_USERS, videos], attributes)
        self._explain = _function(self.explain, [_USERS, video])
        self._recommend = _function(
            self.recommend,
            [_USERS],
            {spec.name: spec for spec in (k, excluded, listed)} | attributes,
            {names.K: tf.constant(10)},
        )
        return {
            names.SERVING_DEFAULT: self._score,
            names.CLASSIFY: self._judge,
            names.REGRESS: self._judge,
            names.RANK: self._rank,
            names.RANK_BY_ATTRIBUTES: self._told,
            names.RECOMMEND: self._recommend,
            names.EXPLAIN: self._explain,
            names.EVALUATE: self._evaluator.evaluate,
        }

    def score_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw `tf.Example`s [N] -> score [N], from the features alone."""
        raw = tf.io.parse_example(examples, raw_spec(self._features))
        rows = _dense(self._transform(raw))
        columns = {**rows, **self._known(rows)}
        user = {name: columns[name][:, None] for name in self._features.user_facets}
        video = {name: columns[name][:, None] for name in self._features.video_facets}
        for x in self._prior(names.USER_ID, rows[names.USER_ID], user):
            user[names.PRIOR] = x
        for y in self._prior(names.VIDEO_ID, rows[names.VIDEO_ID], video):
            video[names.PRIOR] = y
        return {names.SCORE: tf.sigmoid(self._call(user, video).logits[:, 0])}

    def judge(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """The score [N] as a regression, and as two classes [N, 2]."""
        score = self.score_examples(inputs)[names.SCORE]
        scores = tf.stack([1.0 - score, score], axis=1)  # [N, 2]
        labels = tf.constant([names.CLASS_LABELS])
        return {
            names.OUTPUTS: score,
            names.SCORES: scores,
            names.CLASSES: tf.broadcast_to(labels, tf.shape(scores)),
        }

    def rank(
        self, user_id: tf.Tensor, video_ids: tf.Tensor, **attributes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """User ids [B], video ids [B, C] -> score [B, C]."""
        user = self._users.side(self._rows(names.USER_ID, user_id), attributes)
        videos = self._catalogue.video_representation(
            self._rows(names.VIDEO_ID, video_ids)
        )
        return {names.SCORE: tf.sigmoid(self._rate(user, videos).logits)}

    def recommend(
        self,
        user_id: tf.Tensor,
        k: tf.Tensor,
        exclude_video_ids: tf.Tensor,
        candidate_video_ids: tf.Tensor,
        **attributes: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """The best k [B, k] of the catalogue or of the candidates.

        Without what the user already liked, what is excluded and, if the config says
        so, what the user was shown and did not like. Candidates count once, and only
        where they are known; a list that is there but empty leaves nothing to
        recommend. Rows that run out of videos end in "" with score -inf; `found` [B]
        counts the others. A call that leaves out `found` is not one for joining into
        batches, which would refuse the scalar k and inputs left out.
        """
        users = self._rows(names.USER_ID, user_id)
        logits = tf.cond(
            tf.shape(candidate_video_ids)[0] > 0,
            lambda: self._rate_listed(users, attributes, candidate_video_ids),
            lambda: self._rate_every(users, attributes),
        )  # [B, V]
        excluded = self._places(self._rows(names.VIDEO_ID, exclude_video_ids))
        left_out = (self._places_of(users, pairs) for pairs in self._left_out)
        hidden = tf.concat([*left_out, excluded], axis=0)
        lowest = tf.fill(tf.shape(hidden)[:1], logits.dtype.min)
        logits = tf.tensor_scatter_nd_update(logits, hidden, lowest)
        k = tf.clip_by_value(k, 0, self._catalogue.videos)
        best, index = tf.math.top_k(logits, k)
        there = best > logits.dtype.min
        ids = tf.gather(self._video_ids, index + 1)
        return {
            names.VIDEO_IDS: tf.where(there, ids, ""),
            names.SCORE: tf.where(there, tf.sigmoid(best), -float("inf")),
            names.FOUND: tf.reduce_sum(tf.cast(there, tf.int32), axis=1),
        }

    def explain(self, user_id: tf.Tensor, video_id: tf.Tensor) -> dict[str, tf.Tensor]:
        """Ids [B] -> attention [B, M hops, facets], facet names [B, facets], score."""
        rated = self._catalogue.rate(
            self._rows(names.USER_ID, user_id),
            self._rows(names.VIDEO_ID, video_id)[:, None],
        )
        batch = tf.shape(user_id)[0]
        user_facets, video_facets = (
            tf.tile(tf.constant([self._features.columns_of(facets)]), [batch, 1])
            for facets in (self._features.user_facets, self._features.video_facets)
        )
        nothing = tf.zeros([batch, 0, user_facets.shape[1]])  # of Video-Att
        return {
            names.VIDEO_ATTENTION: tf.concat(rated.video_attention, axis=1),
            names.USER_ATTENTION: tf.concat([nothing, *rated.user_attention], axis=1),
            names.VIDEO_FACETS: video_facets,
            names.USER_FACETS: user_facets,
            names.SCORE: tf.sigmoid(rated.logits[:, 0]),
        }

    def _prior(
        self, side: str, rows: tf.Tensor, columns: Mapping[str, tf.Tensor]
    ) -> tuple[tf.Tensor, ...]:
        """The prior's factors [N, C=1, P], if there is one, of one side's rows [N]."""
        of_users = side == names.USER_ID
        catalogue = self._catalogue
        halves = (
            catalogue.user_representation
            if of_users
            else catalogue.video_representation
        )
        size = catalogue.users if of_users else catalogue.videos
        rows = rows[:, None]
        strangers = (rows == 0) | (rows > size)
        means = self._means[0 if of_users else 1]
        return with_cold_start(halves(rows).prior, strangers, means, columns)

    def _known(self, rows: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Identities of encoded ids; one that training never saw is unknown."""
        return {name: tf.gather(i, rows[name]) for name, i in self._identities.items()}

    def _rows(self, name: str, ids: tf.Tensor) -> tf.Tensor:
        """Row numbers of ids of any shape; an unknown id is the unknown row."""
        return tf.cast(self._lookup(name, ids), tf.int32) + 1

    def _rate_every(self, users: tf.Tensor, attributes: Attributes) -> tf.Tensor:
        """Logits [B, V] of user rows [B] with every known video."""
        return self._catalogue.rate_every(self._users.side(users, attributes))

    def _rate_listed(
        self, users: tf.Tensor, attributes: Attributes, candidates: tf.Tensor
    ) -> tf.Tensor:
        """Logits [B, V], the lowest number for all but candidates [B, C]."""
        rows = self._rows(names.VIDEO_ID, candidates)
        user = self._users.side(users, attributes)
        logits = self._rate(
            user, self._catalogue.video_representation(rows)
        ).logits  # [B, C]
        shape = [tf.shape(users)[0], self._catalogue.videos]
        nothing = tf.fill(shape, logits.dtype.min)
        known = tf.boolean_mask(logits, rows <= self._catalogue.videos)
        return tf.tensor_scatter_nd_update(nothing, self._places(rows), known)

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


def _function(
    body: Callable[..., Any],
    required: list[tf.TensorSpec],
    optional: Mapping[str, tf.TensorSpec] | None = None,
    defaults: Mapping[str, tf.Tensor] | None = None,
) -> Any:
    """A function whose optional inputs are saved as the signature's defaults.

    Only a Python default that is a tensor is saved; that of an input without one in
    `defaults` is empty.
    """
    optional = optional or {}
    given = defaults or {}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(spec.name, kind) for spec in required]
    for name, spec in optional.items():
        empty = tf.zeros([0] * spec.shape.rank, spec.dtype)
        default = given.get(name, empty)
        parameters.append(inspect.Parameter(name, kind, default=default))

    def call(*inputs: tf.Tensor) -> Any:
        named = zip((p.name for p in parameters), inputs, strict=True)
        return body(**dict(named))

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    specs = [*required, *optional.values()]
    return tf.function(call, input_signature=specs, autograph=False)


def _dense(encoded: Encoded) -> dict[str, tf.Tensor]:
    return {
        name: tf.sparse.to_dense(column)
        if isinstance(column, tf.SparseTensor)
        else column
        for name, column in encoded.items()
    }


def _by_user(pairs: Pairs, dataset: Dataset) -> ByUser:
    """Starts and videos of `dataset.Rows`."""
    rows = pairs.by_user(dataset.users.size)
    return _fixed(rows.starts), _fixed(rows.videos)


def _fixed(array: Any) -> tf.Variable:
    return tf.Variable(array, trainable=False)
