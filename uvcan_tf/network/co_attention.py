"""UVCAN as one layer over the features of a pair; Video-Att is a switch of it.

Shapes: B users, C candidate videos, N user facets, M video facets, K factors, H width
of the first hidden layer, P factors of the prior.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from uvcan_tf.features import PRIOR
from uvcan_tf.network.facets import Facets, FacetSpec
from uvcan_tf.network.rating import Rating
from uvcan_tf.network.side_embedding import SideEmbedding
from uvcan_tf.network.stacked_attention import StackedAttention


class UserRepresentation(NamedTuple):
    """All of a user that does not depend on the video."""

    facets: Facets
    projected: tuple[tf.Tensor, ...]  # W_x X of each user hop, [B, C=1, N, K]
    q: tf.Tensor  # q̂₀, [B, C=1, K]
    hidden_part: tf.Tensor  # hᵘ's part of the first hidden layer, [B, C=1, H]
    prior: tuple[tf.Tensor, ...] = ()  # x of the prior, [B, C=1, P], if there is one


class VideoRepresentation(NamedTuple):
    """All of a video that does not depend on the user; B=1 serves all users."""

    facets: Facets
    projected: tuple[tf.Tensor, ...]  # W_x X of each video hop, [B, C, M, K]
    hidden_part: tf.Tensor  # hᵛ's part of the first hidden layer, [B, C, H]
    prior: tuple[tf.Tensor, ...] = ()  # y of the prior, [B, C, P], if there is one


class Rated(NamedTuple):
    """Logits ŷ [B, C] and every hop's attention, [B, C, M] and [B, C, N]."""

    logits: tf.Tensor
    video_attention: tuple[tf.Tensor, ...]
    user_attention: tuple[tf.Tensor, ...]


@tf.keras.utils.register_keras_serializable("uvcan")
class CoAttentionNetwork(tf.keras.layers.Layer):
    """Sections 4.1 to 4.4: from the features of a user and a video to a rating.

    q̂₀ summarises the user with g = 0; it guides the video attention; v̂ᵛ guides the
    user attention; both and the identities are rated by the MLP.

    Args:
      user, video: the facets of users and of videos in order, identity first.
      factors: K.
      hops: M, of either attention.
      hidden: widths of the MLP.
      video_attention_only: Video-Att. The paper says only that it lacks the user
        attention; q̂₀ then stands in z where v̂ᵘ stood.
      prior_scale: with a prior, the first weight of its share x·y of the rating; see
        `Rating`. The factors x and y of a matrix factorisation are then the column
        `PRIOR` of either, and the network learns what they leave open. Unlike the
        paper.
      stddev, seed: of the initial weights.

    Call: (user columns, video columns) -> `Rated`. `user_representation` and
      `video_representation` are what a catalogue computes once, `rate` joins them.
    """

    def __init__(
        self,
        user: Sequence[FacetSpec],
        video: Sequence[FacetSpec],
        factors: int = 32,
        hops: int = 2,
        hidden: Sequence[int] = (64, 32, 16),
        video_attention_only: bool = False,
        prior_scale: float | None = None,
        stddev: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.user = tuple(user)
        self.video = tuple(video)
        self.factors = factors
        self.hops = hops
        self.hidden = tuple(hidden)
        self.video_attention_only = video_attention_only
        self.prior_scale = prior_scale
        self.stddev = stddev
        self.seed = seed
        self._make_layers()

    def _make_layers(self) -> None:
        K, N, M = self.factors, len(self.user), len(self.video)

        def drawn(name: str, number: int) -> dict[str, Any]:
            seed = self.seed + 1000 * number
            return {"name": name, "seed": seed, "stddev": self.stddev}

        self.user_embedding = SideEmbedding(self.user, K, **drawn("user", 1))
        self.video_embedding = SideEmbedding(self.video, K, **drawn("video", 2))
        self.summary = StackedAttention(1, N, K, guided=False, **drawn("summary", 3))
        self.video_attention = StackedAttention(
            self.hops, M, K, **drawn("video_attention", 4)
        )
        if not self.video_attention_only:
            self.user_attention = StackedAttention(
                self.hops, N, K, **drawn("user_attention", 5)
            )
        self.rating = Rating(self.hidden, K, self.prior_scale, **drawn("rating", 6))

    def user_representation(
        self, columns: Mapping[str, tf.Tensor]
    ) -> UserRepresentation:
        """From columns [B, C=1, ...]."""
        return self.user_of_facets(self.user_embedding(columns), self._prior(columns))

    def user_of_facets(
        self, facets: Facets, prior: tuple[tf.Tensor, ...]
    ) -> UserRepresentation:
        """From facets [B, C=1, N, K] and the prior's x [B, C=1, P]."""
        summary = self.summary(facets, self.summary.project(facets.X))
        return UserRepresentation(
            facets=facets,
            projected=()
            if self.video_attention_only
            else self.user_attention.project(facets.X),
            q=summary.x,
            hidden_part=self.rating.user_part(facets.X[..., 0, :]),
            prior=prior,
        )

    def video_representation(
        self, columns: Mapping[str, tf.Tensor]
    ) -> VideoRepresentation:
        """From columns [B, C, ...]."""
        return self.video_of_facets(self.video_embedding(columns), self._prior(columns))

    def video_of_facets(
        self, facets: Facets, prior: tuple[tf.Tensor, ...]
    ) -> VideoRepresentation:
        """From facets [B, C, M, K] and the prior's y [B, C, P]."""
        return VideoRepresentation(
            facets=facets,
            projected=self.video_attention.project(facets.X),
            hidden_part=self.rating.video_part(facets.X[..., 0, :]),
            prior=prior,
        )

    def _prior(self, columns: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        return (columns[PRIOR],) if PRIOR in columns else ()

    def rate(self, user: UserRepresentation, video: VideoRepresentation) -> Rated:
        """Every user of [B, C=1, ...] with every video of [B or 1, C, ...]."""
        v = self.video_attention(video.facets, video.projected, user.q)
        if self.video_attention_only:
            u, user_attention = user.q, ()
        else:
            u, user_attention = self.user_attention(user.facets, user.projected, v.x)
        products = (
            tf.reduce_sum(x * y, axis=-1)  # [B, C]
            for x, y in zip(user.prior, video.prior, strict=True)
        )
        logits = self.rating(u, v.x, user.hidden_part, video.hidden_part, *products)
        return Rated(logits, v.a, user_attention)

    def call(
        self, user: Mapping[str, tf.Tensor], video: Mapping[str, tf.Tensor]
    ) -> Rated:
        return self.rate(
            self.user_representation(user), self.video_representation(video)
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "user": [facet.to_dict() for facet in self.user],
            "video": [facet.to_dict() for facet in self.video],
            "factors": self.factors,
            "hops": self.hops,
            "hidden": self.hidden,
            "video_attention_only": self.video_attention_only,
            "prior_scale": self.prior_scale,
            "stddev": self.stddev,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> CoAttentionNetwork:
        facets = {
            name: [FacetSpec.from_dict(facet) for facet in config[name]]
            for name in ("user", "video")
        }
        return cls(**{**config, **facets})
