"""Equations (1) and (2) of the paper as pure functions, in the paper's letters.

Shapes: B users, C candidate videos, F facets of one side (N of a user, M of a video),
K width of an embedding. A user side without candidates has C=1; a catalogue shared by
all users has B=1. All functions broadcast over the leading axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from uvcan_tf.network.products import linear


class AttentionWeights(NamedTuple):
    """The parameters of one attention A(X, g) of equation (1).

    W_x, W_g: [K, K]. w_h: [K]. b: [F]; the paper leaves open its size, and a scalar
    would cancel in the softmax, so every facet has a bias of its own.
    """

    W_x: tf.Tensor
    W_g: tf.Tensor
    w_h: tf.Tensor
    b: tf.Tensor


class Attended(NamedTuple):
    """What stacked attention returns: x̂ [B, C, K] and every hop's a [B, C, F]."""

    x: tf.Tensor
    a: tuple[tf.Tensor, ...]


def masked_softmax(logits: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Softmax over the last axis where `mask` holds; zeros if it holds nowhere."""
    lowest = tf.where(mask, logits, logits.dtype.min)
    peak = tf.stop_gradient(tf.reduce_max(lowest, axis=-1, keepdims=True))
    weights = tf.where(mask, tf.exp(lowest - peak), 0.0)  # [..., F]
    total = tf.reduce_sum(weights, axis=-1, keepdims=True)  # [..., 1]
    return tf.math.divide_no_nan(weights, total)


def project(X: tf.Tensor, W_x: tf.Tensor) -> tf.Tensor:
    """W_x X for facets stored as rows: [..., F, K] -> [..., F, K]."""
    return linear(X, W_x)


def attend(
    X: tf.Tensor,
    projected: tf.Tensor,
    mask: tf.Tensor,
    g: tf.Tensor | None,
    weights: AttentionWeights,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Equation (1): x̂ = A(X, g).

    H = tanh(W_x X + (W_g g) 1ᵀ),  a = softmax(w_hᵀ H + b),  x̂ = Σ aᵢ xᵢ

    Args:
      X: facets [B, C, F, K].
      projected: W_x X [B, C, F, K]; apart, so that a catalogue computes it once.
      mask: bool [B, C, F]; False for a facet that is missing, which gets no weight.
      g: guidance [B, C, K], or None for g = 0.
      weights: the parameters.

    Returns:
      x̂ [B, C, K] and a [B, C, F]. A row whose facets are all missing gives zeros.
    """
    _, W_g, w_h, b = weights
    if g is not None:
        projected = projected + tf.expand_dims(linear(g, W_g), -2)
    H = tf.tanh(projected)  # [B, C, F, K]
    a = masked_softmax(linear(H, w_h) + b, mask)  # [B, C, F]
    return tf.reduce_sum(tf.expand_dims(a, -1) * X, axis=-2), a


def stacked_attend(
    X: tf.Tensor,
    projected: Sequence[tf.Tensor],
    mask: tf.Tensor,
    q: tf.Tensor,
    hops: Sequence[AttentionWeights],
) -> Attended:
    """Equation (2): M hops over the same facets, the query growing by what was found.

    v̂_m = A_m(X, q_m),  q_{m+1} = v̂_m + q_m,  q_1 = q

    The paper's index of v̂ in equation (2) is read as the hop just made; the last hop's
    v̂_M is the result. Weights are per hop, as "in each A" says.

    Args:
      X: facets [B, C, F, K].
      projected: W_x X of each hop, [B, C, F, K] each.
      mask: bool [B, C, F].
      q: the first query [B, C, K].
      hops: the parameters of each hop.
    """
    attention = []
    v = q
    for projected_m, weights in zip(projected, hops, strict=True):
        v, a = attend(X, projected_m, mask, q, weights)
        attention.append(a)
        q = v + q  # [B, C, K]
    return Attended(v, tuple(attention))
