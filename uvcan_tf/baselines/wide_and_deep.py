"""Wide & Deep: a linear model over features and their crosses, plus an MLP.

Cheng et al., Wide & Deep Learning for Recommender Systems (DLRS 2016).

Shapes: B users, C candidate videos, K factors, H width of the first hidden layer, N and
M values of a user's and a video's attributes, L values of a multivalued one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import tensorflow as tf

from uvcan_tf.baselines.block_scorer import BlockModel
from uvcan_tf.baselines.neural import NeuralSettings, Tower
from uvcan_tf.config import TrainingConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.model.row_tables import Columns, facet_specs
from uvcan_tf.network.facets import DENSE, MULTIVALUED, FacetSpec
from uvcan_tf.network.products import linear
from uvcan_tf.network.side_embedding import SideEmbedding
from uvcan_tf.validators import require_count

_CROSSED_AT_MOST: Final = 1 << 26  # floats


@dataclasses.dataclass(frozen=True)
class WideAndDeepSettings(NeuralSettings):
    """The size of Wide & Deep.

    Args:
      buckets: weights that the crosses share by hashing.
    """

    buckets: int = 1 << 18

    def __post_init__(self) -> None:
        super().__post_init__()
        require_count("buckets", self.buckets)


class FeatureRepresentation(NamedTuple):
    """Of a user or a video, for the linear model and for the tower."""

    facets: tf.Tensor  # [B, C, F, K]
    weights: tf.Tensor  # of every facet in the linear model, [B, C, F]
    codes: tf.Tensor  # of the attributes' values, 0 for none, int32 [B, C, N or M]
    part: tf.Tensor  # of the tower's first layer, [B, C, H]
    crossed: Any = ()  # a video's sum of crosses with each value of a user, [B, C, I]


class WideAndDeepNetwork(tf.keras.layers.Layer):
    """ŷ = Σ w_i + Σ w_ij + tower, i and j over the values of the user and the video.

    The crosses are of every attribute of the user with every attribute of the video;
    a cross without a bucket of its own shares one.

    Args:
      user, video: the facets of users and of videos in order, identity first.
      settings: sizes and initial weights.
      seed: of the initial weights.
    """

    def __init__(
        self,
        user: Sequence[FacetSpec],
        video: Sequence[FacetSpec],
        settings: WideAndDeepSettings,
        seed: int,
    ) -> None:
        super().__init__()
        self._facets = {"user": tuple(user), "video": tuple(video)}
        self._buckets = settings.buckets
        self._deep, self._wide = (
            {
                side: SideEmbedding(
                    facets, width, stddev, seed + 1000 * number, name=f"{kind}_{side}"
                )
                for number, (side, facets) in enumerate(self._facets.items())
            }
            for kind, width, stddev in (
                ("deep", settings.factors, settings.initial_stddev),
                ("wide", 1, 0.0),
            )
        )
        self.tower = Tower(settings.hidden_widths, seed + 5000, name="tower")
        self._last = tf.keras.layers.Dense(
            1, kernel_initializer=tf.keras.initializers.LecunNormal(seed + 6000)
        )
        self._last.build([None, settings.hidden_widths[-1]])
        self.crosses = self.add_weight(
            name="cross_embedding", shape=[settings.buckets], initializer="zeros"
        )

    def user_representation(self, columns: Columns) -> FeatureRepresentation:
        """From columns [B, C=1, ...]."""
        return self._side("user", columns, self.tower.user_part)

    def video_representation(self, columns: Columns) -> FeatureRepresentation:
        """From columns [B, C, ...]."""
        return self._side("video", columns, self.tower.video_part)

    def _side(self, side: str, columns: Columns, part: Any) -> FeatureRepresentation:
        X = self._deep[side](columns).X  # [B, C, F, K]
        flat = tf.concat(tf.unstack(X, axis=-2), axis=-1)  # [B, C, F * K]
        weights = tf.squeeze(self._wide[side](columns).X, -1)
        return FeatureRepresentation(X, weights, self._codes(side, columns), part(flat))

    def _attributes(self, side: str) -> list[FacetSpec]:
        return [f for f in self._facets[side][1:] if f.kind != DENSE]

    def _codes(self, side: str, columns: Columns) -> tf.Tensor:
        """A number for every value of every attribute; neither ids nor vectors."""
        codes, before = [], 0
        for facet in self._attributes(side):
            column = columns[facet.name]
            values = column if facet.kind == MULTIVALUED else column[..., None]
            codes.append(tf.where(values != 0, values + before, 0))  # [B, C, 1 or L]
            before += facet.size + 2
        if not codes:
            identity = columns[self._facets[side][0].name]
            return tf.zeros_like(identity)[..., None]
        return tf.concat(codes, axis=-1)

    def cross_weights(
        self, user: FeatureRepresentation, video: FeatureRepresentation
    ) -> tf.Tensor:
        """w_ij of all crosses [B, C, N, M]; 0 where either value is missing."""
        i, j = user.codes[..., :, None], video.codes[..., None, :]
        values = 1 + sum(f.size + 2 for f in self._attributes("video"))
        found = _gathered(
            tf.convert_to_tensor(self.crosses), (i * values + j) % self._buckets
        )
        return tf.where((i != 0) & (j != 0), found, 0.0)

    def with_all_crosses(self, video: FeatureRepresentation) -> FeatureRepresentation:
        """The same video rows [C, ...] with their crosses of all users summed once.

        A user's crosses are then a product with the values that the user has, where a
        pair would look up N * M weights. Left as it is where that is too large.
        """
        every = 1 + sum(f.size + 2 for f in self._attributes("user"))  # I
        if every * int(video.codes.shape[0]) > _CROSSED_AT_MOST:
            return video
        user = video._replace(codes=tf.range(every)[None])  # [C=1, N=I]
        total = tf.zeros([1, every])
        for j in tf.unstack(video.codes, axis=-1):  # [C] each
            one = self.cross_weights(user, video._replace(codes=j[:, None]))
            total += tf.squeeze(one, -1)
        return video._replace(crossed=total)

    def _crossed(
        self, user: FeatureRepresentation, video: FeatureRepresentation
    ) -> tf.Tensor:
        """Σ w_ij [B, C]."""
        if isinstance(video.crossed, tuple):
            return tf.reduce_sum(self.cross_weights(user, video), [-2, -1])
        every = video.crossed.shape[-1]
        has = tf.reduce_sum(tf.one_hot(user.codes, every), axis=-2)  # [B, C=1, I]
        return tf.squeeze(tf.matmul(has, video.crossed, transpose_b=True), axis=-2)

    def rate(
        self, user: FeatureRepresentation, video: FeatureRepresentation
    ) -> tf.Tensor:
        """Logits [B, C]."""
        linear_part = sum(tf.reduce_sum(s.weights, -1) for s in (user, video))
        crossed = self._crossed(user, video)  # [B, C]
        hidden = self.tower(user.part, video.part)
        deep = linear(hidden, tf.squeeze(self._last.kernel, -1)) + self._last.bias
        return linear_part + crossed + deep


@tf.custom_gradient
def _gathered(table: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """Weights [...] of a flat table; its gradient is dense, which is far cheaper here.

    A sparse one would have to find the distinct among half a million positions.
    """

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        flat = (tf.reshape(x, [-1]) for x in (upstream, index))
        return tf.math.unsorted_segment_sum(*flat, tf.size(table)), None

    return tf.gather(table, index), gradient


class WideAndDeep(BlockModel):
    """The network with the tables it reads.

    Unlike the article, both parts are trained by Adam, the loop of all models here.

    Args:
      dataset: its training pairs decide which identities are known.
      training: of the batches, the loss and the seed.
      settings: sizes.
    """

    network: WideAndDeepNetwork

    def __init__(
        self,
        dataset: Dataset,
        training: TrainingConfig,
        settings: WideAndDeepSettings,
    ) -> None:
        network = WideAndDeepNetwork(
            *facet_specs(dataset),
            settings=settings,
            seed=training.seed * 10_000,
        )
        super().__init__(dataset, training, network, settings.id_dropout)

    def embeddings(
        self, user: FeatureRepresentation, video: FeatureRepresentation
    ) -> Sequence[tf.Tensor]:
        crosses = self.network.cross_weights(user, video)
        return user.facets, user.weights, video.facets, video.weights, crosses

    def for_catalogue(self, video: FeatureRepresentation) -> FeatureRepresentation:
        return self.network.with_all_crosses(video)
