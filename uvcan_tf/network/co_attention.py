"""UVCAN as one layer over the features of a pair; Video-Att is a switch of it.

Shapes: B users, C candidate videos, N user facets, M video facets, K factors, H width
of the first hidden layer, P factors of the prior, D of the history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from uvcan_tf.features import LIKED_VIDEOS, PRIOR, VIDEO_ID
from uvcan_tf.network.facets import Facets, FacetSpec
from uvcan_tf.network.liked_videos import LikedVideos
from uvcan_tf.network.rating import Rating
from uvcan_tf.network.representations import (
    Rated,
    UserRepresentation,
    VideoRepresentation,
)
from uvcan_tf.network.side_embedding import SideEmbedding
from uvcan_tf.network.stacked_attention import StackedAttention


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
      history: D, the length of the vectors of liked videos; 0 leaves them out. The
        column `LIKED_VIDEOS` of users is then h, as `liked_videos` gives it. It is a
        facet where `user` names it as one. Videos may have that column, too: [o; b],
        which else follow from their ids. Unlike the paper.
      history_product: whether h · o + b of `LikedVideos` is added to the rating; the
        MLP then begins with an output of 0.
      history_bias: whether b is learned; else it stays 0.
      history_stddev: standard deviation of the initial vectors of videos.
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
        history: int = 0,
        history_product: bool = False,
        history_bias: bool = True,
        history_stddev: float = 0.05,
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
        self.history = history
        self.history_product = history_product
        self.history_bias = history_bias
        self.history_stddev = history_stddev
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
        self.rating = Rating(
            self.hidden,
            K,
            begins_at_zero=self.history_product,
            **drawn("rating", 6),
        )
        if self.history:
            layer = {**drawn("liked_videos", 7), "stddev": self.history_stddev}
            self.liked_videos = LikedVideos(
                self.video[0].rows,
                self.history,
                self.history_product,
                self.history_bias,
                **layer,
            )

    def user_representation(
        self, columns: Mapping[str, tf.Tensor]
    ) -> UserRepresentation:
        """From columns [B, C=1, ...]."""
        facets = self.user_embedding(columns)
        return self.user_of_facets(facets, self._prior(columns), self._h(columns))

    def user_of_facets(
        self,
        facets: Facets,
        prior: tuple[tf.Tensor, ...] = (),
        history: tuple[tf.Tensor, ...] = (),
    ) -> UserRepresentation:
        """From facets [B, C=1, N, K], the prior's x and the history's [h; 1]."""
        summary = self.summary(facets, self.summary.project(facets.X))
        return UserRepresentation(
            facets=facets,
            projected=()
            if self.video_attention_only
            else self.user_attention.project(facets.X),
            q=summary.x,
            hidden_part=self.rating.user_part(facets.X[..., 0, :]),
            prior=prior,
            history=history,
        )

    def video_representation(
        self, columns: Mapping[str, tf.Tensor]
    ) -> VideoRepresentation:
        """From columns [B, C, ...]."""
        facets = self.video_embedding(columns)
        return self.video_of_facets(facets, self._prior(columns), self._o(columns))

    def video_of_facets(
        self,
        facets: Facets,
        prior: tuple[tf.Tensor, ...] = (),
        history: tuple[tf.Tensor, ...] = (),
    ) -> VideoRepresentation:
        """From facets [B, C, M, K], the prior's y and the history's [o; b]."""
        return VideoRepresentation(
            facets=facets,
            projected=self.video_attention.project(facets.X),
            hidden_part=self.rating.video_part(facets.X[..., 0, :]),
            prior=prior,
            history=history,
        )

    def _prior(self, columns: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        return (columns[PRIOR],) if PRIOR in columns else ()

    def _h(self, user: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        if not self.history_product:
            return ()
        return (self.liked_videos.user_factors(user[LIKED_VIDEOS]),)

    def _o(self, video: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        if not self.history_product:
            return ()
        if LIKED_VIDEOS in video:
            return (video[LIKED_VIDEOS],)
        return (self.liked_videos.video_factors(video[VIDEO_ID]),)

    def history_products(
        self, user: Mapping[str, tf.Tensor], video: Mapping[str, tf.Tensor]
    ) -> tuple[tf.Tensor, ...]:
        """h · o + b of columns, [B, C], if it counts."""
        return _products(self._h(user), self._o(video))

    def rate(self, user: UserRepresentation, video: VideoRepresentation) -> Rated:
        """Every user of [B, C=1, ...] with every video of [B or 1, C, ...]."""
        v = self.video_attention(video.facets, video.projected, user.q)
        if self.video_attention_only:
            u, user_attention = user.q, ()
        else:
            u, user_attention = self.user_attention(user.facets, user.projected, v.x)
        logits = self.rating(u, v.x, user.hidden_part, video.hidden_part)
        of_user, of_video = user.prior + user.history, video.prior + video.history
        for product in _products(of_user, of_video):
            logits += product
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
            "history": self.history,
            "history_product": self.history_product,
            "history_bias": self.history_bias,
            "history_stddev": self.history_stddev,
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


def _products(
    user: tuple[tf.Tensor, ...], video: tuple[tf.Tensor, ...]
) -> tuple[tf.Tensor, ...]:
    """[B, C] of users [B, C=1, P] and videos [B or 1, C, P]; nothing of nothing."""
    return tuple(
        tf.matmul(x, y, transpose_b=True)[:, 0]
        for x, y in zip(user, video, strict=True)
    )
