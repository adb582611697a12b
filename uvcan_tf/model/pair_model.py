"""What every model learned from pairs shares: tables, drawn batches and the loss.

Shapes: B pairs or users, C candidate videos, R rows.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

import tensorflow as tf
import tensorflow_recommenders as tfrs

from uvcan_tf.config import TrainingConfig
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, Pairs
from uvcan_tf.evaluation.scorers import ModelScorer
from uvcan_tf.model import losses
from uvcan_tf.model.batches import Batch, Batches
from uvcan_tf.model.row_tables import Columns, RowTables
from uvcan_tf.network.products import products_in

#: A nest of tensors [B, C, ...]: all of users, or of videos, that a rating needs.
Representation = Any


class Network(Protocol):
    """A Keras layer that owns all trained weights; it sees users and videos apart."""

    weights: list[tf.Variable]
    trainable_variables: list[tf.Variable]

    def user_representation(self, columns: Columns) -> Representation:
        """All of users that does not depend on the video: columns [B, C=1, ...]."""
        ...

    def video_representation(self, columns: Columns) -> Representation:
        """All of videos that does not depend on the user: columns [B, C, ...]."""
        ...


class PairModel(tfrs.Model, abc.ABC):  # type: ignore[misc]  # tfrs is untyped
    """Tables, fresh negatives, id dropout and equation (5) around a network.

    Args:
      dataset: its training pairs decide which identities are known.
      training: of the batches, the loss and the seed.
      network: owns all trained weights.
      id_dropout: share of ids that training replaces with the unknown id.
      tables: the columns of every row.
      never_drawn: pairs that are no negatives either.

    Call: a pair (user rows int [B], video rows int [B, C]) -> logits [B, C].
    """

    def __init__(
        self,
        dataset: Dataset,
        training: TrainingConfig,
        network: Network,
        id_dropout: float,
        tables: RowTables,
        never_drawn: Pairs = NO_PAIRS,
    ) -> None:
        super().__init__()
        self.dataset = dataset
        self.training = training
        self.network = network
        self.tables = tables
        self.batches = Batches(dataset, training, id_dropout, never_drawn)
        first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.step = tf.Variable(
            0, dtype=tf.int64, trainable=False, name="step", aggregation=first
        )
        self._epoch_loss = tf.keras.metrics.Mean(name="loss")

    @abc.abstractmethod
    def logits_of(self, user: Representation, video: Representation) -> tf.Tensor:
        """Logits [B, C] of users [B, C=1, ...] with videos [B or 1, C, ...]."""

    @abc.abstractmethod
    def embeddings(
        self, user: Representation, video: Representation
    ) -> Sequence[tf.Tensor]:
        """The embeddings that were looked up, each to be regularised once."""

    @abc.abstractmethod
    def mean_loss(
        self, user_columns: Columns, video_columns: Columns, correction: tf.Tensor
    ) -> tf.Tensor:
        """`losses.mean_loss` of columns [B, C=1, ...] and [B, C, ...].

        By `mean_loss_at_once`, or in another way that gives the same.
        """

    @abc.abstractmethod
    def scorer(self) -> ModelScorer:
        """What rates the whole catalogue with the weights as they are now."""

    def compute_loss(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Equation (5) over observed pairs and as many fresh negatives as asked for.

        Args:
          inputs: int64 [B], positions in this epoch's order of the observed pairs.
          training: whether to drop ids.

        Returns:
          The mean cross-entropy of the B * (1 + S) pairs, or of the B choices by
          softmax, plus L2; see `losses`. Of several devices, the share of one: they
          are added up.
        """
        with products_in(self.training.precision):
            loss = self.step_loss(inputs, drop_ids=training)
        if training:
            self.step.assign_add(1)
        loss += losses.weight_l2(self.trainable_variables, self.training.l2)
        return loss / tf.distribute.get_strategy().num_replicas_in_sync

    def step_loss(self, inputs: tf.Tensor, drop_ids: bool) -> tf.Tensor:
        """The loss of one step but for L2 of the weights that are no embeddings."""
        batch = self.batches.draw(inputs, self.step, drop_ids)
        return self.mean_loss(*self.columns_of(batch), batch.correction)

    def columns_of(self, batch: Batch) -> tuple[Columns, Columns]:
        """What training sees of a batch: columns [B, C=1, *] and [B, C, *]."""
        return self.tables.of_batch(batch)

    @property
    def examples(self) -> tuple[int, int]:
        """How many examples an epoch has, and a step: here observed pairs."""
        return self.batches.pairs, self.training.batch_size

    def remember(self, likes: Pairs, skipped: Pairs = NO_PAIRS) -> None:
        """Rates with these likes as the users' history, where the model has one.

        What was skipped counts for users of whom training knew nothing, where the prior
        learns from impressions.
        """

    def as_strangers(self, strangers: bool) -> None:
        """Rates users by their attributes alone from now on, or as before again."""
        self.tables.forget_user_ids(strangers)
        self.remember(NO_PAIRS if strangers else self.dataset.train)

    def as_new_videos(self, new: bool, spread: float = 1.0) -> None:
        """Rates videos by their attributes alone from now on, or as before again.

        spread: that of `NewVideos`, where the model has them.
        """
        self.tables.forget_video_ids(new)
        if self.tables.new_videos is not None:
            self.tables.new_videos.spread = spread
            self.tables.new_videos.learn()

    def history_of(self, users: tf.Tensor) -> tf.Tensor:
        """h of user rows int [B], [B, D]; D = 0 without a history."""
        return tf.zeros([tf.size(users), 0])

    def complete(self, dataset: Dataset) -> None:
        """Rates with all that the dataset tells, once training without some has ended.

        The network stays as it is; a prior is fitted anew where there are more pairs,
        and new videos are rated by what their attributes tell of the network's factors.
        What was shown while the validation pairs were liked is known from now on.
        """
        knows_more = len(dataset.train) > len(self.dataset.train)
        self.tables.complete(dataset, knows_more)
        shown = dataset.impressions
        self.dataset = dataclasses.replace(self.dataset, impressions=shown)
        self.remember(dataset.train)

    def mean_loss_at_once(
        self, user_columns: Columns, video_columns: Columns, correction: tf.Tensor
    ) -> tf.Tensor:
        """`losses.mean_loss` of the whole batch in one go."""
        user = self.network.user_representation(user_columns)
        video = self.network.video_representation(video_columns)
        logits = self.logits_of(user, video)  # [B, C]
        embeddings = self.embeddings(user, video)
        return losses.mean_loss(logits, embeddings, correction, self.training)

    def user_representation(self, users: tf.Tensor) -> Representation:
        """Of user rows int [...]."""
        return self.network.user_representation(self.tables.users(users))

    def video_representation(self, videos: tf.Tensor) -> Representation:
        """Of video rows int [...]."""
        return self.network.video_representation(self.tables.videos(videos))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    def represent_users(self, users: tf.Tensor) -> Representation:
        """`user_representation` of user rows int32 [R], compiled once."""
        return self.user_representation(users)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    def represent_videos(self, videos: tf.Tensor) -> Representation:
        """`video_representation` of video rows int32 [R], compiled once."""
        return self.video_representation(videos)

    def call(self, pair: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        users, videos = pair
        user = self.user_representation(users[:, None])
        return self.logits_of(user, self.video_representation(videos))

    @tf.autograph.experimental.do_not_convert
    def train_step(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step of Adam; the mean loss of the epoch so far, and a gradient's norm.

        The norm is that of the last step of an epoch, over all weights; 0 before. Of
        several devices nobody asks for it. No Python of this needs rewriting, which
        takes seconds.
        """
        devices = tf.distribute.get_strategy()
        with tf.GradientTape() as tape:
            loss = self.compute_loss(inputs, training=True)  # the share of one device
        weights = self.trainable_variables  # the first loss has made them all
        gradients = tape.gradient(loss, weights)
        self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        loss *= devices.num_replicas_in_sync
        self._epoch_loss.update_state(loss, sample_weight=tf.size(inputs))
        logs = {"loss": self._epoch_loss.result()}
        if devices.num_replicas_in_sync == 1:
            examples, at_once = self.examples
            last = self.step % -(-examples // at_once) == 0
            logs["gradient_norm"] = tf.cond(
                last, lambda: _norm(gradients), lambda: tf.constant(0.0)
            )
        return logs


def _norm(gradients: Sequence[tf.Tensor | tf.IndexedSlices | None]) -> tf.Tensor:
    """The Euclidean norm of all gradients as one vector; a row's parts are added up."""
    there = [gradient for gradient in gradients if gradient is not None]
    return tf.linalg.global_norm([_added_up(gradient) for gradient in there])


def _added_up(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor:
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    return tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
