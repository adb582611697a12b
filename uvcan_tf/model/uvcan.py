"""UVCAN as a TFRS model.

Shapes: B pairs or users, C candidate videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from uvcan_tf.config import Config
from uvcan_tf.data.dataset import NO_PAIRS, Dataset
from uvcan_tf.factorization.attribute_means import AttributeMeans
from uvcan_tf.factorization.cross_fitted import (
    PRIOR_SCALE,
    CrossFitted,
    SkippedLastByModel,
)
from uvcan_tf.features import PRIOR, Dense
from uvcan_tf.model.blocked_loss import WORTHWHILE_FROM, BlockedLoss
from uvcan_tf.model.pair_model import ModelScorer, PairModel, facets, sizes_of
from uvcan_tf.network.co_attention import CoAttentionNetwork, Rated, UserSide, VideoSide
from uvcan_tf.network.layers import Distinct


class UVCAN(PairModel):
    """The co-attention network with the tables it reads and the loss of equation (5).

    Args:
      dataset: its training pairs decide which identities are known.
      config: hyper-parameters.
    """

    network: CoAttentionNetwork

    def __init__(self, dataset: Dataset, config: Config) -> None:
        network = CoAttentionNetwork(
            **facets(dataset.features, sizes_of(dataset)),
            factors=config.model.factors,
            hops=config.model.hops,
            hidden=config.model.hidden_widths,
            video_attention_only=config.model.video_attention_only,
            prior_scale=None if config.prior is None else PRIOR_SCALE,
            stddev=config.model.initial_stddev,
            seed=config.training.seed * 10_000,
        )
        super().__init__(
            dataset,
            config.training,
            network,
            config.model.id_dropout,
            never_drawn=dataset.shown if config.ranks_skipped_last else NO_PAIRS,
        )
        self.config = config
        self._dense = [f.name for f in dataset.features.video if isinstance(f, Dense)]
        self._there = {  # [R]: whether a video has the vector
            name: tf.constant(dataset.videos.columns[name].any(axis=1))
            for name in self._dense
        }
        self._blocked: BlockedLoss | None = None
        self._prior: CrossFitted | None = None
        if config.prior is not None:
            self._prior = CrossFitted(dataset, config.prior)
            self._user_columns = {**self._user_columns, PRIOR: self._prior.users}
            self._video_columns = {**self._video_columns, PRIOR: self._prior.videos}

    def columns_of(
        self, users: tf.Tensor, videos: tf.Tensor, known: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[Any, Any]:
        """Dense vectors once for each distinct video, to be projected once.

        The prior never knows the pairs it is shown with; see `CrossFitted`.
        """
        user_columns, video_columns = super().columns_of(users, videos, known)
        rows, position = tf.unique(tf.reshape(videos, [-1]))
        position = tf.reshape(position, tf.shape(videos))  # [B, C]
        for name in self._dense:
            vectors = tf.gather(self._video_columns[name], rows)
            there = tf.gather(self._there[name], rows)
            video_columns[name] = Distinct(vectors, position, there)
        if self._prior is None:
            return user_columns, video_columns
        x, y = self._prior.factors(users, videos, known)
        return {**user_columns, PRIOR: x}, {**video_columns, PRIOR: y}

    def mean_loss(
        self, user_columns: Any, video_columns: Any, correction: tf.Tensor
    ) -> tf.Tensor:
        """By blocks where there are enough pairs to be worth compiling for."""
        if self.training.batch_size < WORTHWHILE_FROM:
            return super().mean_loss(user_columns, video_columns, correction)
        if self._blocked is None:
            with tf.init_scope():  # builds the network
                self((tf.constant([1]), tf.constant([[1]])))
            self._blocked = BlockedLoss(
                self.network,
                self.training.batch_size,
                self.training.l2,
                self.training.softmax,
            )
        return self._blocked(user_columns, video_columns, correction)

    @property
    def prior_means(self) -> tuple[AttributeMeans | None, AttributeMeans | None]:
        """The prior's factors by attributes, of users and of videos, if they count."""
        means = None if self._prior is None else self._prior.means
        return means or (None, None)

    def rate(self, users: tf.Tensor, videos: tf.Tensor) -> Rated:
        """User rows int [B] with video rows int [B, C]."""
        return self.network.rate(
            self.user_side(users[:, None]), self.video_side(videos)
        )

    def logits_of(self, user: UserSide, video: VideoSide) -> tf.Tensor:
        return self.network.rate(user, video).logits

    def embeddings(self, user: UserSide, video: VideoSide) -> Sequence[tf.Tensor]:
        return user.facets.X, video.facets.X

    def scorer(self) -> ModelScorer:
        from uvcan_tf.catalogue.catalogue import Catalogue  # it knows this class

        catalogue = Catalogue(self)
        if self.config.ranks_skipped_last:
            return SkippedLastByModel(catalogue, self.dataset)
        return catalogue
