"""UVCAN as a TFRS model.

Shapes: B pairs or users, C candidate videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import tensorflow as tf

from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import Config, HistorySettings
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, Pairs
from uvcan_tf.evaluation.scorers import ModelScorer, ranked
from uvcan_tf.factorization.attribute_means import AttributeMeans
from uvcan_tf.factorization.prior import Prior
from uvcan_tf.features import LIKED_VIDEOS
from uvcan_tf.model import losses
from uvcan_tf.model.batches import Batch, shuffled, trainable
from uvcan_tf.model.blocked_loss import WORTHWHILE_FROM, BlockedLoss
from uvcan_tf.model.histories import Histories
from uvcan_tf.model.new_videos import NewVideos
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.model.row_tables import Columns, RowTables, facet_specs
from uvcan_tf.model.shared_softmax import (
    SharedCandidates,
    log_popularity,
    product_loss,
)
from uvcan_tf.network.co_attention import CoAttentionNetwork
from uvcan_tf.network.facets import DENSE, FacetSpec
from uvcan_tf.network.liked_videos import Likes
from uvcan_tf.network.representations import (
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
        user, video = facet_specs(dataset)
        history = config.history
        if history is not None and history.facet:
            user = (*user, FacetSpec(LIKED_VIDEOS, DENSE, history.factors))
        network = CoAttentionNetwork(
            user,
            video,
            factors=config.model.factors,
            hops=config.model.hops,
            hidden=config.model.hidden_widths,
            video_attention_only=config.model.video_attention_only,
            **({} if history is None else history.of_network),
            stddev=config.model.initial_stddev,
            seed=config.training.seed * 10_000,
        )
        last = config.ranks_skipped_impressions_last
        never_drawn = dataset.impressions if last else NO_PAIRS
        prior = None if config.prior is None else Prior(dataset, config.prior)
        super().__init__(
            dataset,
            config.training,
            network,
            config.model.id_dropout,
            RowTables(dataset, prior, True, history is None or history.user_ids),
            never_drawn,
        )
        self.config = config
        self._blocked: BlockedLoss | None = None
        self.histories: Histories | None = None
        self._shared: SharedCandidates | None = None
        if history is not None:
            self._remember_likes(dataset, history)

    def _remember_likes(self, dataset: Dataset, history: HistorySettings) -> None:
        if self.network.history:
            self.network.liked_videos.build()
        if self.network.history_product:
            layer, ridge = self.network.liked_videos, history.attribute_ridge
            if history.bias:
                layer.bias.assign(log_popularity(dataset))
            if ridge:
                self.tables.new_videos = NewVideos(layer, dataset, ridge)
        known = dataset.trained_videos
        self.histories = Histories(dataset.train, dataset.users.size, known)
        self._users = tf.constant(np.unique(trainable(dataset).user), tf.int32)
        if history.shared_softmax:
            seed, skipped = self.training.seed, self.batches.never_drawn
            self._shared = SharedCandidates(
                dataset, self.histories, history, seed, skipped
            )
            self.training = self._shared.training(self.training)

    @property
    def examples(self) -> tuple[int, int]:
        """Users instead of pairs where a step's users share candidates."""
        if self._shared is None:
            return super().examples
        return len(self._users), self._shared.at_once

    def remember(self, likes: Pairs, skipped: Pairs = NO_PAIRS) -> None:
        if self.histories is not None:
            self.histories.replace(likes)
            if self.tables.prior is not None:
                self.tables.prior.remember(likes, skipped)

    def step_loss(self, inputs: tf.Tensor, drop_ids: bool) -> tf.Tensor:
        if self._shared is None:
            return super().step_loss(inputs, drop_ids)
        return self._shared_loss(self._shared, inputs, drop_ids)

    def columns_of(self, batch: Batch) -> tuple[Columns, Columns]:
        """Without a pair's own video in the history of its user."""
        if self.histories is None:
            return self.tables.of_batch(batch)
        likes = self.histories.without(batch.users, batch.videos[:, 0])
        return self._with_history(batch, self._history(likes, tf.size(batch.users)))

    def _shared_loss(
        self, shared: SharedCandidates, positions: tf.Tensor, drop_ids: bool
    ) -> tf.Tensor:
        """The product over all candidates, the network over a few of each asked like.

        The product p learns as it does alone. The network learns what it leaves open:
        its rivals of an asked like are drawn by softmax(p), so that

            softmax(p + MLP) ∝ softmax(p) exp(MLP)

        is approached by MLP alone, which tells the asked like from them; see Ma and
        Collins, Noise Contrastive Estimation and Negative Sampling for Conditional
        Models (EMNLP 2018). At most `batch_size` asked likes of a step are rated.
        """
        users, at_once = self.examples
        epoch = self.step // -(-users // at_once)
        chosen = shuffled(positions, users, self.training.seed, epoch)
        drawn = shared.draw(tf.gather(self._users, chosen), self.step)
        h = self._history(drawn.given, tf.size(chosen))  # [B, D]
        of_network = shared.dropped(h, self.step) if drop_ids else h
        loss, odds = tf.constant(0.0), None
        if self.network.history_product:
            known = self.tables.video_ids(drawn.candidates)
            layer = self.network.liked_videos
            loss = product_loss(drawn, layer, known, h, shared.l2)
            of_network = tf.stop_gradient(of_network)
            odds = drawn.products(layer, known, of_network)
        asked = Likes(*(part[: self.training.batch_size] for part in drawn.asked))
        count = self.training.negatives
        videos, correction = shared.rivals(drawn, asked, odds, count, self.step)
        rows = tf.gather(drawn.users, asked.user)
        batch = self.batches.of_pairs(rows, videos, correction, self.step, drop_ids)
        columns = self._with_history(batch, tf.gather(of_network, asked.user))
        return loss + self.mean_loss(*columns, batch.correction)

    def history_of(self, users: tf.Tensor) -> tf.Tensor:
        if self.histories is None:
            return super().history_of(users)
        return self._history(self.histories.of(users), tf.size(users))

    def _history(self, likes: Likes, users: tf.Tensor) -> tf.Tensor:
        """[B, D]; D = 0 where only the loss knows of likes."""
        if not self.network.history:
            return tf.zeros([users, 0])
        return self.network.liked_videos(likes, users)

    def _with_history(self, batch: Batch, h: tf.Tensor) -> tuple[Columns, Columns]:
        """The columns of a batch whose users have the histories [B, D]."""
        user, video = self.tables.of_batch(batch)
        return {**user, LIKED_VIDEOS: h[:, None]}, video

    def user_representation(self, users: tf.Tensor) -> UserRepresentation:
        columns = self.tables.users(users)
        if self.histories is not None:
            h = self.history_of(tf.reshape(users, [-1]))
            shape = tf.concat([tf.shape(users), tf.shape(h)[1:]], axis=0)
            columns[LIKED_VIDEOS] = tf.ensure_shape(
                tf.reshape(h, shape), [*users.shape, h.shape[1]]
            )
        return self.network.user_representation(columns)

    def mean_loss(
        self, user_columns: Columns, video_columns: Columns, correction: tf.Tensor
    ) -> tf.Tensor:
        """By blocks where there are enough pairs to be worth compiling for."""
        if self.training.batch_size < WORTHWHILE_FROM:
            return self.mean_loss_at_once(user_columns, video_columns, correction)
        if self._blocked is None:
            with tf.init_scope():  # builds the network
                self((tf.constant([1]), tf.constant([[1]])))
            self._blocked = BlockedLoss(
                self.network, self.training, product=self._shared is None
            )
        return self._blocked(user_columns, video_columns, correction)

    def mean_loss_at_once(
        self, user_columns: Columns, video_columns: Columns, correction: tf.Tensor
    ) -> tf.Tensor:
        """Where users share candidates, of all but the product, which has its own."""
        user = self.network.user_representation(user_columns)
        video = self.network.video_representation(video_columns)
        if self._shared is not None:
            user, video = user._replace(history=()), video._replace(history=())
        logits, embeddings = self.logits_of(user, video), self.embeddings(user, video)
        return losses.mean_loss(logits, embeddings, correction, self.training)

    @property
    def prior_means(self) -> tuple[AttributeMeans | None, AttributeMeans | None]:
        """The prior's factors by attributes, of users and of videos, if they count."""
        prior = self.tables.prior
        return (prior and prior.means) or (None, None)

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
