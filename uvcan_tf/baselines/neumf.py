"""NCF: a matrix factorisation and an MLP over ids, joined (NeuMF).

He et al., Neural Collaborative Filtering (WWW 2017).

Shapes: B users, C candidate videos, K factors, H width of the first hidden layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from uvcan_tf.baselines.block_scorer import BlockModel
from uvcan_tf.baselines.neural import NeuralSettings, Tower
from uvcan_tf.config import TrainingConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.model.row_tables import Columns, facet_specs
from uvcan_tf.network.facets import FacetSpec
from uvcan_tf.network.products import linear
from uvcan_tf.network.side_embedding import SideEmbedding


class IdRepresentation(NamedTuple):
    """Of a user or a video, all of it from the id."""

    factors: tf.Tensor  # of the factorisation, [B, C, K]
    identity: tf.Tensor  # the tower's embedding, [B, C, K]
    part: tf.Tensor  # of the tower's first layer, [B, C, H]


class NeuMFNetwork(tf.keras.layers.Layer):
    """ŷ = h · [p_u ∘ q_v; tower(p'_u, q'_v)], with tables apart for either part.

    Args:
      user, video: the two identity facets, see `SideEmbedding`.
      settings: sizes and initial weights.
      seed: of the initial weights.
    """

    def __init__(
        self,
        user: FacetSpec,
        video: FacetSpec,
        settings: NeuralSettings,
        seed: int,
    ) -> None:
        super().__init__()

        def table(facet: FacetSpec, name: str, number: int) -> SideEmbedding:
            return SideEmbedding(
                [facet],
                settings.factors,
                settings.initial_stddev,
                seed + 1000 * number,
                name=name,
            )

        self._tables = {
            "user": (table(user, "user_factors", 1), table(user, "user", 2)),
            "video": (table(video, "video_factors", 3), table(video, "video", 4)),
        }
        self.tower = Tower(settings.hidden_widths, seed + 5000, name="tower")
        self.output_layer = tf.keras.layers.Dense(
            1, kernel_initializer=tf.keras.initializers.LecunNormal(seed + 6000)
        )
        self.output_layer.build([None, settings.factors + settings.hidden_widths[-1]])

    def user_representation(self, columns: Columns) -> IdRepresentation:
        """From columns [B, C=1, ...]."""
        factors, identity = self._embedded("user", columns)
        return IdRepresentation(factors, identity, self.tower.user_part(identity))

    def video_representation(self, columns: Columns) -> IdRepresentation:
        """From columns [B, C, ...]."""
        factors, identity = self._embedded("video", columns)
        return IdRepresentation(factors, identity, self.tower.video_part(identity))

    def _embedded(self, side: str, columns: Columns) -> tuple[tf.Tensor, tf.Tensor]:
        first, second = (table(columns).X[..., 0, :] for table in self._tables[side])
        return first, second

    def rate(self, user: IdRepresentation, video: IdRepresentation) -> tf.Tensor:
        """Logits [B, C]."""
        kernel = tf.squeeze(self.output_layer.kernel, -1)  # [K + last width]
        factors = user.factors.shape[-1]
        product = user.factors * kernel[:factors] * video.factors  # [B, C, K]
        deep = linear(self.tower(user.part, video.part), kernel[factors:])  # [B, C]
        return tf.reduce_sum(product, -1) + deep + self.output_layer.bias


class NeuMF(BlockModel):
    """The network with the tables it reads; it knows ids alone.

    Args:
      dataset: its training pairs decide which identities are known.
      training: of the batches, the loss and the seed.
      settings: sizes.
    """

    network: NeuMFNetwork

    def __init__(
        self,
        dataset: Dataset,
        training: TrainingConfig,
        settings: NeuralSettings,
    ) -> None:
        user, video = facet_specs(dataset)
        network = NeuMFNetwork(user[0], video[0], settings, training.seed * 10_000)
        super().__init__(dataset, training, network, settings.id_dropout)

    def embeddings(
        self, user: IdRepresentation, video: IdRepresentation
    ) -> Sequence[tf.Tensor]:
        return user.factors, user.identity, video.factors, video.identity
