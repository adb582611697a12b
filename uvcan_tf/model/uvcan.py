"""UVCAN as a TFRS model.

Shapes: B pairs or users, C candidate videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import tensorflow as tf

from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import NO_PAIRS, Dataset
from uvcan_tf.evaluation.scorers import ModelScorer, ranked
from uvcan_tf.factorization.attribute_means import AttributeMeans
from uvcan_tf.factorization.cross_fitted import PRIOR_SCALE, CrossFitted
from uvcan_tf.model.blocked_loss import WORTHWHILE_FROM, BlockedLoss
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.model.row_tables import Columns, RowTables, facet_specs
from uvcan_tf.network.co_attention import (
    CoAttentionNetwork,
    Rated,
    UserRepresentation,
    VideoRepresentation,
)


@final
class UVCAN(PairModel):
    """The co-attention network with the tables it reads and the loss of equation (5).

    Args:
      dataset: its training pairs decide which identities are known.
      config: hyper-parameters.

    >>> model = UVCAN(dataset, config)
    >>> model.rate(tf.constant([1]), tf.constant([[1, 2, 3]])).logits.shape
    TensorShape([1, 3])
    """

    network: CoAttentionNetwork

    def __init__(self, dataset: Dataset, config: Config) -> None:
        network = CoAttentionNetwork(
            *facet_specs(dataset),
            factors=config.model.factors,
            hops=config.model.hops,
            hidden=config.model.hidden_widths,
            video_attention_only=config.model.video_attention_only,
            prior_scale=None if config.prior is None else PRIOR_SCALE,
            stddev=config.model.initial_stddev,
            seed=config.training.seed * 10_000,
        )
        never_drawn = NO_PAIRS
        if config.ranks_skipped_impressions_last:
            never_drawn = dataset.impressions
        prior = None if config.prior is None else CrossFitted(dataset, config.prior)
        super().__init__(
            dataset,
            config.training,
            network,
            config.model.id_dropout,
            RowTables(dataset, prior, distinct_vectors=True),
            never_drawn,
        )
        self.config = config
        self._prior = prior
        self._blocked: BlockedLoss | None = None

    def mean_loss(
        self, user_columns: Columns, video_columns: Columns, correction: tf.Tensor
    ) -> tf.Tensor:
        """By blocks where there are enough pairs to be worth compiling for."""
        if self.training.batch_size < WORTHWHILE_FROM:
            return self.mean_loss_at_once(user_columns, video_columns, correction)
        if self._blocked is None:
            with tf.init_scope():  # builds the network
                self((tf.constant([1]), tf.constant([[1]])))
            self._blocked = BlockedLoss(self.network, self.training)
        return self._blocked(user_columns, video_columns, correction)

    @property
    def prior_means(self) -> tuple[AttributeMeans | None, AttributeMeans | None]:
        """The prior's factors by attributes, of users and of videos, if they count."""
        means = None if self._prior is None else self._prior.means
        return means or (None, None)

    def rate(self, users: tf.Tensor, videos: tf.Tensor) -> Rated:
        """User rows int [B] with video rows int [B, C]."""
        user = self.user_representation(users[:, None])
        return self.network.rate(user, self.video_representation(videos))

    def logits_of(
        self, user: UserRepresentation, video: VideoRepresentation
    ) -> tf.Tensor:
        return self.network.rate(user, video).logits

    def embeddings(
        self, user: UserRepresentation, video: VideoRepresentation
    ) -> Sequence[tf.Tensor]:
        return user.facets.X, video.facets.X

    def scorer(self) -> ModelScorer:
        last = self.config.ranks_skipped_impressions_last
        return ranked(Catalogue(self), self.dataset, last)
