"""The pairs of a training step: which, in what order, and against what.

Shapes: B observed pairs, C = 1 + S candidate videos, S negatives of an observed pair.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from uvcan_tf.config import TrainingConfig
from uvcan_tf.data.dataset import Dataset, Pairs, Side
from uvcan_tf.model.negatives import (
    MixedSampler,
    UnobservedSampler,
    leaves_a_video,
)
from uvcan_tf.model.replicas import number_of_replica, replicas

_APART = 1 << 40  # more steps than are ever trained


class Batch(NamedTuple):
    """Observed pairs and unobserved videos for each, as row numbers.

    The rows as which users and videos are known are their own, or the unknown one where
    training drops the id.
    """

    users: tf.Tensor  # [B]
    videos: tf.Tensor  # [B, C], the observed one first
    known_users: tf.Tensor  # [B, C=1]
    known_videos: tf.Tensor  # [B, C]
    correction: tf.Tensor  # subtracted from the logits, [B, C]; see `MixedSampler`


class Batches:
    """Draws batches; everything random is a function of the seed and the step.

    So a resumed run continues as if it had never stopped. Of several workers, each
    draws only the pairs of its own users.

    Args:
      dataset: its training pairs are the observed ones.
      training: number and kind of the negatives, the size of a step, and the seed.
      id_dropout: share of ids that training replaces with the unknown id.
      never_drawn: pairs that are no negatives either, unless a user would have none.

    Attributes:
      never_drawn: the same.
      pairs: how many observed pairs an epoch has here.
      steps: of an epoch.
    """

    def __init__(
        self,
        dataset: Dataset,
        training: TrainingConfig,
        id_dropout: float,
        never_drawn: Pairs,
    ) -> None:
        self._dataset = dataset
        self._training = training
        self._id_dropout = id_dropout
        self.never_drawn = never_drawn
        pairs = trainable(dataset)
        here = replicas()
        own = here.own(pairs)
        self.pairs = len(own)
        self.steps = here.steps(pairs, training.batch_size)
        self._observed = tf.constant(own.user), tf.constant(own.video)
        sizes = dataset.users.size, dataset.videos.size
        known = pairs + never_drawn
        leaves = leaves_a_video(known, *sizes)
        known = pairs + never_drawn.where(leaves[never_drawn.user])
        self._mixed: MixedSampler | None = None
        if training.popular_negatives:
            self._mixed = MixedSampler(known, *sizes, training.popular_negatives)
        self._sampler = self._mixed or UnobservedSampler(known, *sizes)

    def draw(self, positions: tf.Tensor, step: tf.Tensor, drop_ids: bool) -> Batch:
        """The batch of one step.

        Args:
          positions: int64 [B], in this epoch's order of the observed pairs.
          step: int64, how many steps were trained before.
          drop_ids: whether some rows become the unknown one.
        """
        users, videos = self._drawn(positions, step)  # [B], [B, C]
        correction = tf.zeros(tf.shape(videos))
        if self._mixed is not None:
            correction = self._mixed.correction(users, videos)
        return self.of_pairs(users, videos, correction, step, drop_ids)

    def of_pairs(
        self,
        users: tf.Tensor,
        videos: tf.Tensor,
        correction: tf.Tensor,
        step: tf.Tensor,
        drop_ids: bool,
    ) -> Batch:
        """The batch of users [B] and videos [B, C] that were drawn already."""
        known_users, known_videos = users[:, None], videos
        if drop_ids:
            sides = self._dataset.users, self._dataset.videos
            known_users = self._dropped(known_users, sides[0], step, stream=2)
            known_videos = self._dropped(known_videos, sides[1], step, stream=3)
        return Batch(users, videos, known_users, known_videos, correction)

    def _drawn(
        self, positions: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Users [B] and videos [B, C]: an observed one, then unobserved ones."""
        seed = self._training.seed
        chosen = shuffled(positions, self.pairs, seed, step // self.steps)
        users, videos = (tf.gather(column, chosen) for column in self._observed)
        negatives = self._sampler(
            users, self._training.negatives, step_seed(seed, step, stream=1)
        )
        return users, tf.concat([videos[:, None], negatives], axis=1)

    def _dropped(
        self, rows: tf.Tensor, table: Side, step: tf.Tensor, stream: int
    ) -> tf.Tensor:
        """Some rows become the unknown one."""
        seed = step_seed(self._training.seed, step, stream)
        draw = tf.random.stateless_uniform(tf.shape(rows), seed)
        return tf.where(draw < self._id_dropout, table.unknown, rows)


def step_seed(seed: int, step: tf.Tensor, stream: int) -> tf.Tensor:
    """int64 [2]: what a stateless draw of a step begins with.

    Args:
      seed: of the training.
      step: how many steps were trained before.
      stream: from 0 to 7, another for each kind of draw.
    """
    of_stream = tf.constant(seed * 8 + stream, tf.int64)
    return tf.stack([tf.cast(step, tf.int64) + number_of_replica() * _APART, of_stream])


def shuffled(
    positions: tf.Tensor, count: int, seed: int, epoch: tf.Tensor
) -> tf.Tensor:
    """What stands at positions int64 [B] of 0..count-1 in an epoch's order."""
    order = tf.stack([tf.cast(seed, tf.int64), epoch])
    last = tf.constant(count - 1, tf.int64)
    return tf.random.experimental.index_shuffle(positions, order, last)


def trainable(dataset: Dataset) -> Pairs:
    """The training pairs of users who leave a video to compare their likes with."""
    pairs = dataset.train
    leaves = leaves_a_video(pairs, dataset.users.size, dataset.videos.size)
    return pairs.where(leaves[pairs.user])
