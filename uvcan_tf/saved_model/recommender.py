"""What is saved: the catalogue, the ids, who liked what, and the transform.

Shapes: N examples, B users, C candidates, M and N facets of a video and a user.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from uvcan_tf import features as names
from uvcan_tf.catalogue.blocks import BY_DEVICE
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.model.histories import Histories
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.asset_lookup import AssetLookup
from uvcan_tf.saved_model.evaluate_signature import ByUser, PairEvaluator
from uvcan_tf.saved_model.optional_inputs import signature_function
from uvcan_tf.saved_model.recommend_signature import BestVideos
from uvcan_tf.saved_model.request_histories import RequestHistories, given_rows
from uvcan_tf.saved_model.request_users import (
    Transform,
    Users,
    attribute_specs,
    history_specs,
)
from uvcan_tf.saved_model.score_signature import ExampleScores

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
        model.remember(dataset.train)
        device = config.recommendation.device
        self._catalogue = Catalogue(model, BY_DEVICE[device])
        self._rate = model.network.rate
        ids = {
            names.USER_ID: dataset.users.ids,
            names.VIDEO_ID: dataset.videos.ids,
        }
        self._lookup = AssetLookup(ids, folder)
        self._users = Users(
            self._features,
            self._catalogue,
            model.network,
            self._transform,
            model.prior_means[0],
            self._histories(model, dataset, config.recommendation.remembers_likes),
        )
        self._user_facets = [facet.name for facet in model.network.user]
        self._examples = ExampleScores(
            model, transform, self._catalogue, self._users.histories
        )
        self._make_signatures_of_pairs(dataset, config)

    def _histories(
        self, model: UVCAN, dataset: Dataset, remembers: bool
    ) -> RequestHistories | None:
        if not model.network.history:
            return None
        known = model.dataset.trained_videos
        stored = Histories(dataset.train, dataset.users.size, known)
        prior = model.tables.prior
        fold_in = None
        if prior is not None:
            fold_in = prior.fold_in(self._catalogue.prior_of_videos)
        return RequestHistories(
            model.network, stored, remembers, fold_in, dataset.trained_users
        )

    def _make_signatures_of_pairs(self, dataset: Dataset, config: Config) -> None:
        """What needs to know who liked and who skipped what."""
        liked: ByUser | None = None
        last: ByUser | None = None
        left_out: list[ByUser] = []
        if config.recommendation.remembers_likes:
            liked = _by_user(dataset.train, dataset)
            skipped = _by_user(dataset.impressions, dataset)
            left_out = [liked]
            if config.recommends_without_skipped_impressions:
                left_out.append(skipped)
            last = skipped if config.ranks_skipped_impressions_last else None
        self.best = BestVideos(
            self._catalogue,
            self._rate,
            self._rows,
            self._users,
            _fixed(tf.constant(["", *dataset.videos.ids, ""], tf.string)),
            left_out,
            config.recommends_without_skipped_impressions,
            config.recommendation.candidates,
        )
        self._evaluator = PairEvaluator(
            self._catalogue, self._rows, liked, last, config.evaluation
        )

    @property
    def histories(self) -> tuple[str, ...]:
        """The inputs of what a request further tells of a user, liked ones first."""
        return tuple(history_specs(self._users))

    def signatures(self) -> dict[str, Any]:
        """Every signature as a function to save.

        Every input has a first dimension of the batch, as a server that joins requests
        wants it; see `optional_inputs`.

        `classify` and `regress` are one function, so that one run serves both;
        `export` gives each its own outputs.
        """
        histories = history_specs(self._users)
        attributes = histories | attribute_specs(self._features)
        videos = tf.TensorSpec([None, None], tf.string, name=names.VIDEO_IDS)
        video = tf.TensorSpec([None], tf.string, name=names.VIDEO_ID)
        k = tf.TensorSpec([None], tf.int32, name=names.K)
        excluded, listed = (
            tf.TensorSpec([None, None], tf.string, name=name)
            for name in (names.EXCLUDE_VIDEO_IDS, names.CANDIDATE_VIDEO_IDS)
        )
        of_examples = self._examples
        self._class_scores = signature_function(of_examples.both, [_INPUTS])
        self._score = signature_function(of_examples.score, [_EXAMPLES])
        self._rank = signature_function(self.rank, [_USERS, videos], histories)
        self._rank_cold = signature_function(self.rank, [_USERS, videos], attributes)
        self._explain = signature_function(self.explain, [_USERS, video], histories)
        self._recommend = signature_function(
            self.best.recommend,
            [_USERS],
            {spec.name: spec for spec in (k, excluded, listed)} | attributes,
            {names.K: tf.constant([self.best.default_k])},
        )
        return {
            names.SERVING_DEFAULT: self._score,
            names.CLASSIFY: self._class_scores,
            names.REGRESS: self._class_scores,
            names.RANK: self._rank,
            names.RANK_BY_ATTRIBUTES: self._rank_cold,
            names.RECOMMEND: self._recommend,
            names.EXPLAIN: self._explain,
            names.EVALUATE: self._evaluator.evaluate,
        }

    def rank(
        self,
        user_id: tf.Tensor,
        video_ids: tf.Tensor,
        liked_video_ids: tf.Tensor | None = None,
        skipped_video_ids: tf.Tensor | None = None,
        **attributes: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """User ids [B], video ids [B, C] -> score [B, C]."""
        rows = self._rows(names.USER_ID, user_id)
        batch = tf.size(rows)
        given = given_rows(self._rows, batch, liked_video_ids, skipped_video_ids)
        user = self._users.representation(rows, attributes, given)
        videos = self._catalogue.video_representation(
            self._rows(names.VIDEO_ID, video_ids)
        )
        return {names.SCORE: tf.sigmoid(self._rate(user, videos).logits)}

    def explain(
        self,
        user_id: tf.Tensor,
        video_id: tf.Tensor,
        liked_video_ids: tf.Tensor | None = None,
        skipped_video_ids: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """Ids [B] -> attention [B, M hops, facets], facet names [B, facets], score [B].

        Also whether the tables had the user and the video, [B].
        """
        user = self._rows(names.USER_ID, user_id)
        video = self._rows(names.VIDEO_ID, video_id)
        batch = tf.size(user)
        given = given_rows(self._rows, batch, liked_video_ids, skipped_video_ids)
        rated = self._rate(
            self._users.representation(user, {}, given),
            self._catalogue.video_representation(video[:, None]),
        )
        user_facets, video_facets = (
            tf.tile(tf.constant([self._features.columns_of(facets)]), [batch, 1])
            for facets in (self._user_facets, self._features.video_facets)
        )
        nothing = tf.zeros([batch, 0, user_facets.shape[1]])  # of Video-Att
        return {
            names.VIDEO_ATTENTION: tf.concat(rated.video_attention, axis=1),
            names.USER_ATTENTION: tf.concat([nothing, *rated.user_attention], axis=1),
            names.VIDEO_FACETS: video_facets,
            names.USER_FACETS: user_facets,
            names.SCORE: tf.sigmoid(rated.logits[:, 0]),
            names.KNOWN_USER: user <= self._catalogue.users,
            names.KNOWN_VIDEO: video <= self._catalogue.videos,
        }

    def _rows(self, name: str, ids: tf.Tensor) -> tf.Tensor:
        """Row numbers of ids of any shape; an unknown id is the unknown row."""
        return tf.cast(self._lookup(name, ids), tf.int32) + 1


def _by_user(pairs: Pairs, dataset: Dataset) -> ByUser:
    """Starts and videos of `dataset.Rows`."""
    rows = pairs.by_user(dataset.users.size)
    return _fixed(rows.starts), _fixed(rows.videos)


def _fixed(array: Any) -> tf.Variable:
    return tf.Variable(array, trainable=False)
