"""The loss: everything that training lowers, equation (5) and its regulariser.

    L = mean over pairs of (cross-entropy + λ/2 |embeddings of the pair|²)
        + λ/2 |all other weights|²

The paper leaves open which weights its regulariser covers.

Shapes: B observed pairs, C candidate videos of each, the observed one first; F facets,
K factors.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from uvcan_tf.config import TrainingConfig


def mean_loss(
    logits: tf.Tensor,
    embeddings: Sequence[tf.Tensor],
    correction: tf.Tensor,
    training: TrainingConfig,
) -> tf.Tensor:
    """The mean cross-entropy of a batch, and its embeddings' part of the regulariser.

    Args:
      logits: [B, C].
      embeddings: what the batch looked up, each to be regularised once.
      correction: subtracted from the logits, [B, C]; see `MixedSampler`.
      training: `softmax` and `l2`, the λ.
    """
    loss = tf.reduce_mean(cross_entropies(logits - correction, training.softmax))
    return loss + embedding_l2(embeddings, tf.size(logits), training.l2)


def cross_entropies(logits: tf.Tensor, softmax: bool) -> tf.Tensor:
    """Cross-entropies of logits [B, C].

    Args:
      logits: of the observed video, then of the drawn ones.
      softmax: whether to ask which of the C videos was observed, [B, C=1], instead of
        equation (5)'s question, whether each was, [B, C]. Unlike the paper.
    """
    observed = tf.one_hot(tf.zeros_like(logits[:, 0], tf.int32), logits.shape[1])
    if softmax:
        return tf.nn.softmax_cross_entropy_with_logits(observed, logits)[:, None]
    return tf.nn.sigmoid_cross_entropy_with_logits(observed, logits)


def embedding_l2(
    embeddings: Sequence[tf.Tensor], pairs: tf.Tensor, l2: float
) -> tf.Tensor:
    """The embeddings' part of the regulariser, the mean over so many pairs."""
    if not l2:
        return tf.constant(0.0)
    squares = tf.add_n([tf.nn.l2_loss(x) for x in embeddings])
    return l2 * squares / tf.cast(pairs, squares.dtype)


def embedding_l2_by_pair(user: tf.Tensor, video: tf.Tensor, l2: float) -> tf.Tensor:
    """The embeddings' part of the regulariser pair by pair, [B, C].

    Args:
      user: [B, C=1, F, K].
      video: [B, C, F, K].
      l2: λ.
    """
    of_user, of_video = (tf.reduce_sum(x**2, axis=[2, 3]) for x in (user, video))
    return l2 / 2 * (of_user / video.shape[1] + of_video)


def weight_l2(variables: Sequence[tf.Variable], l2: float) -> tf.Tensor:
    """The regulariser of all weights but embeddings, which count by the pair."""
    if not l2:
        return tf.constant(0.0)
    dense = [v for v in variables if "embedding" not in v.name]
    squares = tf.add_n([tf.constant(0.0), *(tf.nn.l2_loss(v) for v in dense)])
    return l2 * squares
