"""The user as the sum of the videos that they liked: a product, and nothing else.

UVCAN's product of `network.liked_videos` without the network, trained by
`model.shared_softmax`.

Shapes: B users, V videos.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_recommenders as tfrs
from scipy.sparse import csr_matrix

from uvcan_tf.data.dataset import Dataset, IntArray
from uvcan_tf.data.matrices import likes_of
from uvcan_tf.history_settings import HistorySettings
from uvcan_tf.model.histories import Histories
from uvcan_tf.model.shared_softmax import (
    SharedCandidates,
    log_popularity,
    product_loss,
)
from uvcan_tf.network.liked_videos import LikedVideos
from uvcan_tf.training.averaging import Averaging
from uvcan_tf.training.sparse_adam import SparseAdam
from uvcan_tf.validators import (
    require_count,
    require_not_negative,
    require_number,
    require_positive,
)


@dataclasses.dataclass(frozen=True)
class HistoryProductSettings:
    """How the product is fitted.

    Args:
      factors: K, the length of every vector.
      learning_rate: of Adam.
      average_decay: as `TrainingConfig` has it.
      l2: weight of the squared vectors that a step uses, by user.
      given: the share of a user's likes that make the history of a step; the others
        are asked for.
      uniform: candidates of a step that are drawn uniformly, beside all asked videos.
      candidates: C, at most.
      users: B; by default as `HistorySettings` has it.
      epochs: passes over all users.
      initial_stddev: standard deviation of the initial vectors.
      seed: of the initial vectors and of every draw.
    """

    factors: int = 128
    learning_rate: float = 0.004
    average_decay: float = 0.7
    l2: float = 0.0
    given: float = 0.7
    uniform: int = 512
    candidates: int = 1536
    users: int | None = None
    epochs: int = 12
    initial_stddev: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("factors", "uniform", "candidates", "epochs"):
            require_count(name, getattr(self, name))
        if self.users is not None:
            require_count("users", self.users)
        for name in ("learning_rate", "initial_stddev"):
            require_positive(name, getattr(self, name))
        require_not_negative("l2", self.l2)
        require_number("average_decay", self.average_decay, 0, 0.999)
        require_number("given", self.given, 0, 1)

    @property
    def history(self) -> HistorySettings:
        """The part that UVCAN has, too."""
        return HistorySettings(
            factors=self.factors,
            given=self.given,
            uniform=self.uniform,
            candidates=self.candidates,
            l2=self.l2,
            users=self.users,
            initial_stddev=self.initial_stddev,
        )


class HistoryProduct(tfrs.Model):  # type: ignore[misc]  # tfrs is untyped
    """ŷ_uv = h_u · o_v + b_v alone, trained as UVCAN's; see `LikedVideos`.

    Args:
      dataset: its training pairs are the likes; what its impressions tell to be skipped
        is no rival of them.
      settings: of the vectors and the training.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: HistoryProductSettings = HistoryProductSettings(),
    ) -> None:
        super().__init__()
        self._likes = likes_of(dataset)
        self.layer = LikedVideos(
            dataset.videos.size + 2,
            settings.factors,
            stddev=settings.initial_stddev,
            seed=settings.seed * 2,
        )
        self.layer.build()
        self.layer.bias.assign(log_popularity(dataset))
        histories = Histories(dataset.train, dataset.users.size, dataset.trained_videos)
        self._shared = SharedCandidates(
            dataset, histories, settings.history, settings.seed, dataset.impressions
        )
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)

    @tf.autograph.experimental.do_not_convert
    def train_step(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step of Adam; no Python of it needs rewriting, which takes seconds."""
        return super().train_step(inputs)

    def compute_loss(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """`shared_softmax_loss` of user rows int [B], split anew at every call."""
        drawn = self._shared.draw(inputs, self.step)
        if training:
            self.step.assign_add(1)
        h = self.layer(drawn.given, tf.size(inputs))
        return product_loss(drawn, self.layer, drawn.candidates, h, self._shared.l2)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V] from all training likes; without any, by popularity."""
        return self.scores_of_likes(self._likes[users])

    def scores_of_likes(self, likes: csr_matrix) -> npt.NDArray[np.float32]:
        """float32 [B, V] of people known by their likes alone, a sparse [B, V]."""
        inputs, outputs, bias = (
            table.numpy()[1:-1]
            for table in (self.layer.inputs, self.layer.outputs, self.layer.bias)
        )
        count = np.asarray(likes.sum(axis=1)).reshape(-1, 1)
        h = likes @ inputs / np.sqrt(np.maximum(count, 1))
        scores = h @ outputs.T + bias
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
        .batch(settings.history.users_a_step(len(users)))
    )
    averaging = Averaging(model.layer.weights, settings.average_decay)
    model.fit(batches, epochs=settings.epochs, callbacks=[averaging], verbose=0)
    return model
