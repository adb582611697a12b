"""The user as the sum of the videos that they liked: a product, and nothing else.

An autoencoder of likes with separate input and output vectors, which asks for likes
that it was not given, as in Liang et al., Variational Autoencoders for Collaborative
Filtering (WWW 2018), by a softmax over candidates that all users of a step share, with
the correction of Yi et al., Sampling-Bias-Corrected Neural Modeling (RecSys 2019).

Shapes: B users of a step, L likes of them together, C candidates of a step, V videos,
K factors.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_recommenders as tfrs

from uvcan_tf.data.dataset import Dataset, IntArray
from uvcan_tf.data.matrices import likes_of
from uvcan_tf.training.sparse_adam import SparseAdam
from uvcan_tf.validators import (
    require_count,
    require_not_negative,
    require_number,
    require_positive,
)

_NEVER = -1e9  # a logit that no softmax notices


@dataclasses.dataclass(frozen=True)
class HistoryProductSettings:
    """How the product is fitted.

    Args:
      factors: K, the length of every vector.
      learning_rate: of Adam.
      l2: weight of the squared vectors that a step uses, by user.
      given: the share of a user's likes that make the history of a step; the others
        are asked for.
      uniform: candidates of a step that are drawn uniformly, beside all asked videos.
      candidates: C, at most.
      users: B.
      epochs: passes over all users.
      initial_stddev: standard deviation of the initial vectors.
      seed: of the initial vectors and of every draw.
    """

    factors: int = 128
    learning_rate: float = 0.002
    l2: float = 0.0
    given: float = 0.7
    uniform: int = 512
    candidates: int = 1536
    users: int = 128
    epochs: int = 12
    initial_stddev: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("factors", "uniform", "candidates", "users", "epochs"):
            require_count(name, getattr(self, name))
        for name in ("learning_rate", "initial_stddev"):
            require_positive(name, getattr(self, name))
        require_not_negative("l2", self.l2)
        require_number("given", self.given, 0, 1)


class _Likes(NamedTuple):
    """Likes of a step's users: who, and which video, int [L] each."""

    user: tf.Tensor
    video: tf.Tensor


class HistoryProduct(tfrs.Model):  # type: ignore[misc]  # tfrs is untyped
    """ŷ_uv = h_u · o_v + b_v, where h_u = Σ i_w / √n over the n liked videos w.

    Args:
      dataset: its training pairs are the likes.
      settings: of the vectors and the training.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: HistoryProductSettings = HistoryProductSettings(),
    ) -> None:
        super().__init__()
        self._settings = settings
        self._videos = dataset.videos.size
        self._likes = likes_of(dataset)
        rows = dataset.train.by_user(dataset.users.size)
        self._starts = tf.constant(rows.starts, tf.int32)
        self._liked = tf.constant(rows.videos - 1, tf.int32)
        draw = np.random.default_rng(settings.seed)
        shape = (self._videos, settings.factors)
        self.inputs_of, self.outputs_of = (
            tf.Variable(draw.normal(0, settings.initial_stddev, shape), dtype="float32")
            for _ in range(2)
        )
        likes = np.bincount(rows.videos - 1, minlength=self._videos)
        share = (likes + 1) / (likes.sum() + self._videos)
        self.bias = tf.Variable(np.log(share), dtype=tf.float32)
        self._log_q = tf.constant(self._log_chance(likes, rows.starts), tf.float32)
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)

    def _log_chance(
        self, likes: npt.NDArray[Any], starts: npt.NDArray[Any]
    ) -> npt.NDArray[Any]:
        """log of the chance that a video is among the candidates of a step, [V]."""
        settings = self._settings
        users = max(1, int((np.diff(starts) > 0).sum()))
        asked = likes * (1 - settings.given) * min(1.0, settings.users / users)
        drawn = min(settings.uniform / self._videos, 1 - 1e-6)
        return np.log(1 - (1 - drawn) * np.exp(-asked))

    @tf.autograph.experimental.do_not_convert
    def train_step(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step of Adam; no Python of it needs rewriting, which takes seconds."""
        return super().train_step(inputs)

    def compute_loss(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Cross-entropy of the asked likes of user rows int [B], by softmax.

        Every call splits the users' likes anew into given and asked ones.
        """
        likes = self._likes_of(inputs)
        draw = tf.random.stateless_uniform(tf.shape(likes.video), self._seed(0))
        chosen = draw < self._settings.given
        given, asked = (
            _Likes(*(tf.boolean_mask(part, mask) for part in likes))
            for mask in (chosen, ~chosen)
        )
        candidates = self._candidates(asked.video)  # [C]
        column = tf.tensor_scatter_nd_update(
            tf.fill([self._videos], -1), candidates[:, None], _range(candidates)
        )  # [V], -1 where a video is no candidate
        h = self._history(given, tf.shape(inputs)[0])  # [B, K]
        outputs = tf.gather(self.outputs_of, candidates)  # [C, K]
        logits = tf.matmul(h, outputs, transpose_b=True)
        logits += tf.gather(self.bias - self._log_q, candidates)  # [B, C]
        hidden = _places(given, column)
        penalty = tf.fill(tf.shape(hidden)[:1], _NEVER)
        logits = tf.tensor_scatter_nd_add(logits, hidden, penalty)
        found = tf.gather_nd(tf.nn.log_softmax(logits), _places(asked, column))
        if training:
            self._step.assign_add(1)
        loss = -tf.reduce_sum(found) / tf.cast(tf.maximum(tf.size(found), 1), "float32")
        squares = tf.nn.l2_loss(h) + tf.nn.l2_loss(outputs)
        return loss + self._settings.l2 * squares / tf.cast(tf.size(inputs), tf.float32)

    def _likes_of(self, users: tf.Tensor) -> _Likes:
        """The training likes of user rows int [B]; `user` is the place in the batch."""
        first, last = (tf.gather(self._starts, users + i) for i in (0, 1))
        positions = tf.ragged.range(first, last)
        videos = tf.gather(self._liked, positions.values)
        return _Likes(tf.cast(positions.value_rowids(), tf.int32), videos)

    def _candidates(self, asked: tf.Tensor) -> tf.Tensor:
        """Distinct videos int [C]: the asked ones, then uniform ones."""
        uniform = tf.random.stateless_uniform(
            [self._settings.uniform], self._seed(1), 0, self._videos, tf.int32
        )
        every = tf.unique(tf.concat([asked, uniform], axis=0)).y
        return every[: self._settings.candidates]

    def _history(self, given: _Likes, users: tf.Tensor) -> tf.Tensor:
        """h [B, K]."""
        ones = tf.ones_like(given.user, tf.float32)
        count = tf.math.unsorted_segment_sum(ones, given.user, users)
        total = tf.math.unsorted_segment_sum(
            tf.gather(self.inputs_of, given.video), given.user, users
        )
        return total / tf.sqrt(tf.maximum(count, 1.0))[:, None]

    def _seed(self, stream: int) -> tf.Tensor:
        seed = self._settings.seed * 2 + stream
        return tf.stack([self._step, tf.constant(seed, tf.int64)])

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V] from all training likes; without any, by popularity."""
        return self.scores_of_likes(self._likes[users])

    def scores_of_likes(self, likes: Any) -> npt.NDArray[np.float32]:
        """float32 [B, V] of people known by their likes alone, a sparse [B, V]."""
        count = np.asarray(likes.sum(axis=1)).reshape(-1, 1)
        h = likes @ self.inputs_of.numpy() / np.sqrt(np.maximum(count, 1))
        scores = h @ self.outputs_of.numpy().T + self.bias.numpy()
        return scores.astype(np.float32)


def fit_history_product(
    dataset: Dataset, settings: HistoryProductSettings
) -> HistoryProduct:
    """A product that is trained on the dataset's training pairs."""
    model = HistoryProduct(dataset, settings)
    model.compile(optimizer=SparseAdam(settings.learning_rate))
    users = np.unique(dataset.train.user)
    batches = (
        tf.data.Dataset.from_tensor_slices(users)
        .shuffle(len(users), settings.seed)
        .batch(settings.users)
    )
    model.fit(batches, epochs=settings.epochs, verbose=0)
    return model


def _range(x: tf.Tensor) -> tf.Tensor:
    return tf.range(tf.size(x))


def _places(likes: _Likes, column: tf.Tensor) -> tf.Tensor:
    """int [*, 2]: (user, candidate) of the likes whose video is a candidate."""
    place = tf.gather(column, likes.video)
    there = place >= 0
    pair = tf.stack([likes.user, place], axis=1)
    return tf.boolean_mask(pair, there)
