"""What every model learned from pairs shares: tables, drawn batches and the loss.

Shapes: B pairs or users, C candidate videos, S negatives of an observed pair, F facets,
K factors, R rows.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_recommenders as tfrs

from uvcan_tf.config import TrainingConfig
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, IntArray, Pairs, Side
from uvcan_tf.evaluation.candidates import MixedSampler, UnobservedSampler
from uvcan_tf.features import USER_ID, VIDEO_ID, Dense, Feature, Features
from uvcan_tf.model.losses import errors

Columns = Mapping[str, tf.Tensor]
Half = Any  # a nest of tensors [B, C, ...]: all of one side that a rating needs


class ModelScorer(Protocol):
    """A model's `ranking.Scorer`, which follows the model once told to."""

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]: column v - 1 is the score of video row v."""
        ...

    def refresh(self, model: Any) -> None:
        """Takes over the model's weights as they are now."""
        ...


class Network(Protocol):
    """A Keras layer that owns all trained weights; it sees either side alone first."""

    weights: list[tf.Variable]
    trainable_variables: list[tf.Variable]

    def user_side(self, columns: Columns) -> Half:
        """All of users that does not depend on the video: columns [B, C=1, ...]."""
        ...

    def video_side(self, columns: Columns) -> Half:
        """All of videos that does not depend on the user: columns [B, C, ...]."""
        ...


class PairModel(tfrs.Model, abc.ABC):  # type: ignore[misc]  # tfrs is untyped
    """Tables, fresh negatives, id dropout and equation (5) around a network.

    Args:
      dataset: its training pairs decide which identities are known.
      training: of the batches, the loss and the seed.
      network: rates pairs; see `Network`.
      id_dropout: share of ids that training replaces with the unknown id.

    Call: a pair (user rows int [B], video rows int [B, C]) -> logits [B, C].
    """

    def __init__(
        self,
        dataset: Dataset,
        training: TrainingConfig,
        network: Network,
        id_dropout: float,
        never_drawn: Pairs = NO_PAIRS,
    ) -> None:
        super().__init__()
        self.dataset = dataset
        self.training = training
        self.network = network
        self.id_dropout = id_dropout
        self._user_columns = _columns(dataset.users, USER_ID, dataset.trained_users)
        self._video_columns = _columns(dataset.videos, VIDEO_ID, dataset.trained_videos)
        self._observed = (
            tf.constant(dataset.train.user),
            tf.constant(dataset.train.video),
        )
        known = dataset.train + never_drawn
        sizes = dataset.users.size, dataset.videos.size
        self._mixed: MixedSampler | None = None
        if training.popular_negatives:
            self._mixed = MixedSampler(known, *sizes, training.popular_negatives)
        self._sampler = self._mixed or UnobservedSampler(known, *sizes)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")

    @abc.abstractmethod
    def logits_of(self, user: Half, video: Half) -> tf.Tensor:
        """Logits [B, C] of users [B, C=1, ...] with videos [B or 1, C, ...]."""

    @abc.abstractmethod
    def embeddings(self, user: Half, video: Half) -> Sequence[tf.Tensor]:
        """The embeddings that the halves looked up, each to be regularised once."""

    @abc.abstractmethod
    def scorer(self) -> ModelScorer:
        """What rates the whole catalogue with the weights as they are now."""

    def user_columns(self, users: tf.Tensor) -> dict[str, tf.Tensor]:
        """The encoded features [..., *] of user rows int [...]."""
        return {name: tf.gather(c, users) for name, c in self._user_columns.items()}

    def video_columns(self, videos: tf.Tensor) -> dict[str, tf.Tensor]:
        """The encoded features [..., *] of video rows int [...]."""
        return {name: tf.gather(c, videos) for name, c in self._video_columns.items()}

    def columns_of(
        self, users: tf.Tensor, videos: tf.Tensor, known: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[Any, Any]:
        """What training sees of users int [B] and of videos int [B, C].

        Args:
          users, videos: rows, whose features count.
          known: int [B, C=1] and [B, C], the rows as which they are known: their own,
            or the unknown one.
        """
        user, video = (
            tf.gather(columns[name], rows)
            for columns, name, rows in (
                (self._user_columns, USER_ID, known[0]),
                (self._video_columns, VIDEO_ID, known[1]),
            )
        )
        return (
            {**self.user_columns(users[:, None]), USER_ID: user},
            {**self.video_columns(videos), VIDEO_ID: video},
        )

    def user_side(self, users: tf.Tensor) -> Half:
        """The user's half of user rows int [...]."""
        return self.network.user_side(self.user_columns(users))

    def video_side(self, videos: tf.Tensor) -> Half:
        """The videos' half of video rows int [...]."""
        return self.network.video_side(self.video_columns(videos))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    def half_of_users(self, users: tf.Tensor) -> Half:
        """`user_side` of user rows int32 [R], compiled once."""
        return self.user_side(users)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    def half_of_videos(self, videos: tf.Tensor) -> Half:
        """`video_side` of video rows int32 [R], compiled once."""
        return self.video_side(videos)

    def call(self, pair: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        users, videos = pair
        return self.logits_of(self.user_side(users[:, None]), self.video_side(videos))

    @tf.autograph.experimental.do_not_convert
    def train_step(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step of Adam; no Python of it needs rewriting, which takes seconds."""
        return super().train_step(inputs)

    def compute_loss(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Equation (5) over observed pairs and as many fresh negatives as asked for.

        Args:
          inputs: int64 [B], positions in this epoch's order of the observed pairs.
          training: whether to drop ids.

        Returns:
          The mean cross-entropy of the B * (1 + S) pairs, or of the B choices by
          softmax, plus L2.
        """
        users, videos = self._batch(inputs)  # [B], [B, C = 1 + S]
        known = users[:, None], videos
        if training:
            known = (
                self._drop_ids(known[0], self.dataset.users, stream=2),
                self._drop_ids(known[1], self.dataset.videos, stream=3),
            )
        user_columns, video_columns = self.columns_of(users, videos, known)
        correction = tf.zeros(tf.shape(videos))
        if self._mixed is not None:
            correction = self._mixed.correction(users, videos)
        loss = self.mean_loss(user_columns, video_columns, correction)
        if training:
            self.step.assign_add(1)
        return loss + self._l2()

    def mean_loss(
        self, user_columns: Any, video_columns: Any, correction: tf.Tensor
    ) -> tf.Tensor:
        """The mean cross-entropy, and the embeddings' part of the regulariser.

        Args:
          user_columns: [B, C=1, ...].
          video_columns: [B, C, ...], of each pair's observed video first.
          correction: subtracted from the logits, [B, C]; see `MixedSampler`.
        """
        user = self.network.user_side(user_columns)
        video = self.network.video_side(video_columns)
        logits = self.logits_of(user, video)  # [B, C]
        loss = tf.reduce_mean(errors(logits - correction, self.training.softmax))
        if not self.training.l2:
            return loss
        squares = tf.add_n([tf.nn.l2_loss(x) for x in self.embeddings(user, video)])
        return loss + self.training.l2 * squares / tf.cast(tf.size(logits), loss.dtype)

    def _batch(self, positions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Users [B] and videos [B, 1 + S]: an observed one, then unobserved ones.

        Everything random is a function of the seed and the step, so a resumed run
        continues as if it had never stopped.
        """
        pairs = len(self.dataset.train)
        epoch = self.step // -(-pairs // self.training.batch_size)
        order = tf.stack([tf.cast(self.training.seed, tf.int64), epoch])
        chosen = tf.random.experimental.index_shuffle(
            positions, order, tf.constant(pairs - 1, tf.int64)
        )
        users, videos = (tf.gather(column, chosen) for column in self._observed)
        negatives = self._sampler(users, self.training.negatives, self._seed(stream=1))
        return users, tf.concat([videos[:, None], negatives], axis=1)

    def _seed(self, stream: int) -> tf.Tensor:
        return tf.stack([self.step, tf.cast(self.training.seed * 8 + stream, tf.int64)])

    def _drop_ids(self, rows: tf.Tensor, side: Side, stream: int) -> tf.Tensor:
        """Some rows become the unknown one."""
        draw = tf.random.stateless_uniform(tf.shape(rows), self._seed(stream))
        return tf.where(draw < self.id_dropout, side.unknown, rows)

    def _l2(self) -> tf.Tensor:
        """The regulariser of all weights but embeddings, which count by the pair.

        The paper leaves open which weights its regulariser covers.
        """
        if not self.training.l2:
            return tf.constant(0.0)
        dense = [v for v in self.trainable_variables if "embedding" not in v.name]
        squares = tf.add_n([tf.constant(0.0), *(tf.nn.l2_loss(v) for v in dense)])
        return self.training.l2 * squares


def facets(
    features: Features, sizes: Mapping[str, int]
) -> dict[str, list[dict[str, Any]]]:
    """What `SideEmbedding` needs to know of either side's facets, identity first.

    Args:
      features: the declaration.
      sizes: known values by categorical feature and id; see `sizes_of`.
    """

    def facet(feature: Feature) -> dict[str, Any]:
        if isinstance(feature, Dense):
            return {"name": feature.name, "kind": "dense", "size": feature.length}
        kind = "multivalued" if feature.multivalued else "categorical"
        return {"name": feature.name, "kind": kind, "size": sizes[feature.name]}

    def identity(name: str) -> dict[str, Any]:
        return {"name": name, "kind": "categorical", "size": sizes[name]}

    return {
        "user": [identity(USER_ID), *map(facet, features.user)],
        "video": [identity(VIDEO_ID), *map(facet, features.video)],
    }


def sizes_of(dataset: Dataset) -> dict[str, int]:
    """Known values by categorical feature and id."""
    sizes = {name: len(values) for name, values in dataset.vocabularies.items()}
    return sizes | {USER_ID: dataset.users.size, VIDEO_ID: dataset.videos.size}


def identity_column(trained: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """int32 [n+2]: each row's identity; one never seen in training is "unknown"."""
    unknown = len(trained) - 1
    return np.where(trained, np.arange(len(trained)), unknown).astype(np.int32)


def _columns(side: Side, identity: str, trained: npt.NDArray[np.bool_]) -> Columns:
    columns = {name: tf.constant(column) for name, column in side.columns.items()}
    return {**columns, identity: tf.constant(identity_column(trained))}
