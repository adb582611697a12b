"""Sections 3.2, 4 and 4.1 to 4.4 of the paper, one vector at a time, in NumPy.

Written from the text alone: facets are column vectors in lists, matrices stand on the
left, and a facet that is missing is simply not in the list.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Attention(NamedTuple):
    """Of one 𝒜: W_x, W_g [K, K], w_hx [K], and the bias of each facet."""

    W_x: Array
    W_g: Array
    w_hx: Array
    b: list[float]


class Weights(NamedTuple):
    """All of UVCAN after the embeddings."""

    summary: Attention
    video: list[Attention]
    user: list[Attention]
    mlp: list[tuple[Array, Array]]  # W [out, in], bias [out]


def attend(X: list[Array], g: Array, weights: Attention) -> tuple[Array, list[float]]:
    """Equation (1)."""
    energies = []
    for x, b in zip(X, weights.b, strict=True):
        h = np.tanh(weights.W_x @ x + weights.W_g @ g)
        energies.append(float(weights.w_hx @ h) + b)
    exponentials = [np.exp(energy) for energy in energies]
    a = [e / sum(exponentials) for e in exponentials]
    x_hat = np.zeros_like(g)
    for a_i, x_i in zip(a, X, strict=True):
        x_hat = x_hat + a_i * x_i
    return x_hat, a


def stack(
    X: list[Array], q: Array, hops: list[Attention]
) -> tuple[Array, list[list[float]]]:
    """Equation (2): ask, add what was found to the question, ask again."""
    found, attention = np.zeros_like(q), []
    for weights in hops:
        found, a = attend(X, q, weights)
        q = found + q
        attention.append(a)
    return found, attention


def perceptron(z: Array, layers: list[tuple[Array, Array]]) -> float:
    """Equation (4): hidden layers with ReLU, then one linear output."""
    for W, b in layers[:-1]:
        z = np.maximum(W @ z + b, 0.0)
    W, b = layers[-1]
    return float((W @ z + b)[0])


class Rating(NamedTuple):
    """ŷ, and the attention of every hop on either side."""

    logit: float
    video_attention: list[list[float]]
    user_attention: list[list[float]]


def uvcan(
    q_u: list[Array], h_u: Array, q_v: list[Array], h_v: Array, weights: Weights
) -> Rating:
    """Sections 4.1 to 4.4 for one user and one video."""
    q_0, _ = attend(q_u, np.zeros_like(h_u), weights.summary)
    v_v, video_attention = stack(q_v, q_0, weights.video)
    v_u, user_attention = stack(q_u, v_v, weights.user)
    z = np.concatenate([v_u, v_v, h_u, h_v])  # equation (3)
    return Rating(perceptron(z, weights.mlp), video_attention, user_attention)


def video_att(
    q_u: list[Array], h_u: Array, q_v: list[Array], h_v: Array, weights: Weights
) -> Rating:
    """Section 5.3's variant with the user-guided video attention only."""
    q_0, _ = attend(q_u, np.zeros_like(h_u), weights.summary)
    v_v, video_attention = stack(q_v, q_0, weights.video)
    z = np.concatenate([q_0, v_v, h_u, h_v])
    return Rating(perceptron(z, weights.mlp), video_attention, [])


def cross_entropy(labels: list[int], logits: list[float]) -> float:
    """Equation (5), as a mean over the pairs."""
    total = 0.0
    for y, logit in zip(labels, logits, strict=True):
        p = 1.0 / (1.0 + np.exp(-logit))
        total += -y * np.log(p) - (1 - y) * np.log(1 - p)
    return total / len(labels)
