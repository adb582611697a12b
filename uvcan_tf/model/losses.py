"""What a pair model is trained to lower.

Shapes: B observed pairs, C candidate videos of each, the observed one first.
"""

from __future__ import annotations

import tensorflow as tf


def errors(logits: tf.Tensor, softmax: bool) -> tf.Tensor:
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
