"""How much arithmetic the network is: multiply-adds and tanh of a pair.

Letters are the paper's: K factors, N and M facets of a user and a video, H the widths
of the MLP.
"""

from __future__ import annotations

from typing import NamedTuple

from uvcan_tf.config import Config
from uvcan_tf.features import Dense, Features


class Work(NamedTuple):
    """Of one pair, one after the other."""

    multiply_adds: float
    tanh: float


def of_catalogue_pair(features: Features, config: Config) -> Work:
    """A user with a video when all that depends on one of them alone is known."""
    K, hops, N, M = _letters(features, config)
    first, *rest = config.model.hidden_widths
    attention = hops * (N + M) * 2 * K  # w_hᵀ H and Σ a x of either side
    guidance = (2 * hops - 1) * K * K  # the first video hop's is the user's alone
    mlp = 2 * K * first
    for width in rest:
        mlp, first = mlp + first * width, width
    return Work(attention + guidance + mlp + first, hops * (N + M) * K)


def of_training_example(features: Features, config: Config) -> Work:
    """A pair in training: nothing is known before, and twice the work goes back.

    A user's representation serves the observed pair and its negatives.
    """
    K, hops, N, M = _letters(features, config)
    H = config.model.hidden_widths[0]
    share = 1 / (1 + config.training.negatives)
    vectors = sum(f.length * K for f in features.video if isinstance(f, Dense))
    video = vectors + hops * M * K * K + K * H
    user = (hops + 1) * N * K * K + 2 * N * K + K * K + K * H
    pair = of_catalogue_pair(features, config)
    forward = pair.multiply_adds + video + share * user
    return Work(3 * forward, pair.tanh + share * N * K)


def _letters(features: Features, config: Config) -> tuple[int, int, int, int]:
    model = config.model
    return (
        model.factors,
        model.hops,
        len(features.user_facets),
        len(features.video_facets),
    )
