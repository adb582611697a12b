"""What a network keeps of users, of videos, and of both together.

Shapes: B users, C candidate videos, N user facets, M video facets, K factors, H width
of the first hidden layer, P factors of the prior, D of the history.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from uvcan_tf.network.facets import Facets


class UserRepresentation(NamedTuple):
    """All of a user that does not depend on the video."""

    facets: Facets
    projected: tuple[tf.Tensor, ...]  # W_x X of each user hop, [B, C=1, N, K]
    q: tf.Tensor  # q̂₀, [B, C=1, K]
    hidden_part: tf.Tensor  # hᵘ's part of the first hidden layer, [B, C=1, H]
    prior: tuple[tf.Tensor, ...] = ()  # x of the prior, [B, C=1, P], if there is one
    history: tuple[tf.Tensor, ...] = ()  # [h; 1], [B, C=1, D + 1], if it counts


class VideoRepresentation(NamedTuple):
    """All of a video that does not depend on the user; B=1 serves all users."""

    facets: Facets
    projected: tuple[tf.Tensor, ...]  # W_x X of each video hop, [B, C, M, K]
    hidden_part: tf.Tensor  # hᵛ's part of the first hidden layer, [B, C, H]
    prior: tuple[tf.Tensor, ...] = ()  # y of the prior, [B, C, P], if there is one
    history: tuple[tf.Tensor, ...] = ()  # [o; b], [B, C, D + 1], if it counts


class Rated(NamedTuple):
    """Logits ŷ [B, C] and every hop's attention, [B, C, M] and [B, C, N]."""

    logits: tf.Tensor
    video_attention: tuple[tf.Tensor, ...]
    user_attention: tuple[tf.Tensor, ...]
