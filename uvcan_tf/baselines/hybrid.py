"""A hybrid of content and ids: users and videos are sums of feature embeddings.

Kula, Metadata Embeddings for User and Item Cold-start Recommendations (LightFM, 2015).

Shapes: B users, C candidate videos, K factors, F facets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from uvcan_tf.baselines.block_scorer import BlockModel
from uvcan_tf.baselines.neural import NeuralSettings
from uvcan_tf.config import TrainingConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.model.row_tables import Columns, facet_specs
from uvcan_tf.network.facets import FacetSpec
from uvcan_tf.network.side_embedding import SideEmbedding


class SummedFacets(NamedTuple):
    """Of a user or a video: its facets' embeddings, their sum, and its bias."""

    facets: tf.Tensor  # [B, C, F, K + 1]
    vector: tf.Tensor  # [B, C, K]
    bias: tf.Tensor  # [B, C]


class HybridNetwork(tf.keras.layers.Layer):
    """ŷ = p · q + b_u + b_v; p, q, b_u and b_v are sums over facets.

    Args:
      user, video: the facets of users and of videos.
      settings: sizes and initial weights.
      seed: of the initial weights.
    """

    def __init__(
        self,
        user: Sequence[FacetSpec],
        video: Sequence[FacetSpec],
        settings: NeuralSettings,
        seed: int,
    ) -> None:
        super().__init__()
        self._user, self._video = (
            SideEmbedding(
                facets,
                settings.factors + 1,
                settings.initial_stddev,
                seed + 1000 * number,
                name=name,
            )
            for number, (name, facets) in enumerate((("user", user), ("video", video)))
        )

    def user_representation(self, columns: Columns) -> SummedFacets:
        """From columns [B, C=1, ...]."""
        return _summed(self._user(columns).X)

    def video_representation(self, columns: Columns) -> SummedFacets:
        """From columns [B, C, ...]."""
        return _summed(self._video(columns).X)

    def rate(self, user: SummedFacets, video: SummedFacets) -> tf.Tensor:
        """Logits [B, C]."""
        product = tf.reduce_sum(user.vector * video.vector, -1)  # [B, C]
        return product + user.bias + video.bias


def _summed(X: tf.Tensor) -> SummedFacets:
    total = tf.reduce_sum(X, axis=-2)  # [B, C, K + 1]
    return SummedFacets(X, total[..., :-1], total[..., -1])


class Hybrid(BlockModel):
    """The network with the tables it reads, ids among the features.

    Unlike LightFM, it has equation (5)'s loss and Adam, the loop of all models here.

    Args:
      dataset: its training pairs decide which identities are known.
      training: of the batches, the loss and the seed.
      settings: sizes; there is no tower.
    """

    network: HybridNetwork

    def __init__(
        self,
        dataset: Dataset,
        training: TrainingConfig,
        settings: NeuralSettings,
    ) -> None:
        network = HybridNetwork(
            *facet_specs(dataset),
            settings=settings,
            seed=training.seed * 10_000,
        )
        super().__init__(dataset, training, network, settings.id_dropout)

    def embeddings(
        self, user: SummedFacets, video: SummedFacets
    ) -> Sequence[tf.Tensor]:
        return user.facets, video.facets
