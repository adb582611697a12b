"""Two stages for catalogues too large to rate whole: two towers find, UVCAN ranks.

Shapes: B pairs, V videos, N candidates of the first stage, K factors.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_recommenders as tfrs

from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import TrainingConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.model.row_tables import RowTables, facet_specs
from uvcan_tf.network.side_embedding import SideEmbedding
from uvcan_tf.training.sparse_adam import SparseAdam

TopK: TypeAlias = tfrs.layers.factorized_top_k.TopK
_ROWS_AT_ONCE = 8192


class Towers(tfrs.Model):
    """A vector for each user and each video: the sum of its facets' embeddings.

    Unlike UVCAN, a facet weighs the same whatever it meets; so a video's vector does
    not depend on the user, and an index of vectors finds the best of millions.

    Args:
      dataset: its training pairs decide which identities are known.
      factors: K.
      stddev, seed: of the initial embeddings.
    """

    def __init__(
        self, dataset: Dataset, factors: int = 32, stddev: float = 0.1, seed: int = 1
    ) -> None:
        super().__init__()
        user, video = facet_specs(dataset)
        self.videos = dataset.videos.size
        self._tables = RowTables(dataset)
        self._user = SideEmbedding(user, factors, stddev, 20_000 + seed)
        self._video = SideEmbedding(video, factors, stddev, 30_000 + seed)
        likes = np.bincount(dataset.train.video, minlength=self.videos + 2)
        self._share = tf.constant(likes / max(1, likes.sum()), tf.float32)
        self._task = tfrs.tasks.Retrieval(remove_accidental_hits=True)

    def user_vectors(self, users: tf.Tensor) -> tf.Tensor:
        """[B, K] of user rows int [B]."""
        return tf.reduce_sum(self._user(self._tables.users(users)).X, axis=-2)

    def video_vectors(self, videos: tf.Tensor) -> tf.Tensor:
        """[B, K] of video rows int [B]."""
        return tf.reduce_sum(self._video(self._tables.videos(videos)).X, axis=-2)

    def every_video(self) -> tf.Tensor:
        """[V, K] of all known videos."""
        rows = tf.range(1, self.videos + 1)
        starts = range(0, self.videos, _ROWS_AT_ONCE)
        parts = [self.video_vectors(rows[s : s + _ROWS_AT_ONCE]) for s in starts]
        return tf.concat(parts, axis=0)

    def compute_loss(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Softmax of each observed video among the batch's, corrected for popularity.

        Args:
          inputs: user rows and video rows of observed pairs, int [B] each.
          training: not used.
        """
        users, videos = inputs
        return self._task(
            self.user_vectors(users),
            self.video_vectors(videos),
            candidate_sampling_probability=tf.gather(self._share, videos),
            candidate_ids=videos,
            compute_metrics=False,
        ) / tf.cast(tf.size(users), tf.float32)


def fit(dataset: Dataset, config: TrainingConfig, factors: int = 32) -> Towers:
    """Trains towers on the dataset's training pairs, for all of `config.epochs`."""
    towers = Towers(dataset, factors, seed=config.seed)
    towers.compile(SparseAdam(config.learning_rate))
    pairs = tf.data.Dataset.from_tensor_slices(
        (dataset.train.user, dataset.train.video)
    )
    batches = pairs.shuffle(1 << 20, config.seed).batch(config.batch_size)
    towers.fit(batches.prefetch(2), epochs=config.epochs, verbose=0)
    return towers


def brute_force(towers: Towers, candidates: int) -> TopK:
    """The N best by comparing with every vector at once."""
    index = tfrs.layers.factorized_top_k.BruteForce(k=candidates)
    return index.index(towers.every_video(), _rows(towers))


def streaming(towers: Towers, candidates: int) -> TopK:
    """The N best, a batch of vectors after the other: in little memory."""
    index = tfrs.layers.factorized_top_k.Streaming(k=candidates)
    every = tf.data.Dataset.from_tensor_slices((_rows(towers), towers.every_video()))
    return index.index_from_dataset(every.batch(_ROWS_AT_ONCE))


class TwoStage:
    """The best of a catalogue, of which only the first stage's finds are rated.

    Args:
      towers: give the query.
      index: of the towers' videos; see `brute_force` and `streaming`.
      catalogue: rates what the index finds.
    """

    def __init__(self, towers: Towers, index: TopK, catalogue: Catalogue) -> None:
        self._towers = towers
        self._index = index
        self._catalogue = catalogue
        row, number = tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.int32)
        self._best = tf.function(self._found, [row, number], autograph=False)

    def recommend(self, user: int, k: int) -> npt.NDArray[np.int32]:
        """The k best video rows for a user row, the best first."""
        return self._best(tf.constant(user), tf.constant(k)).numpy()

    def _found(self, user: tf.Tensor, k: tf.Tensor) -> tf.Tensor:
        _, rows = self._index(self._towers.user_vectors(user[None]))  # [1, N]
        logits = self._catalogue.rate_some(user, rows[0])  # [N]
        return tf.gather(rows[0], tf.math.top_k(logits, k).indices)


def recall(
    exact: npt.NDArray[np.int32], found: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """Share of each row [B, k] of `exact` that is in the same row of `found`."""
    return (exact[:, :, None] == found[:, None, :]).any(axis=2).mean(axis=1)


def _rows(towers: Towers) -> tf.Tensor:
    return tf.range(1, towers.videos + 1)
