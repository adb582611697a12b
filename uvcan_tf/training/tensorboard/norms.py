"""How large gradients, weights and their changes are, and the regulariser itself."""

from __future__ import annotations

import dataclasses
from typing import Final

import numpy as np
import tensorflow as tf

from uvcan_tf.model import losses
from uvcan_tf.model.pair_model import PairModel

_PAIRS: Final = 512  # whose gradient is taken, at most


class Norms:
    """Euclidean norms over all trained weights, once an epoch.

    Args:
      model: built. A copy of its weights is kept, to be compared after the epoch.
    """

    def __init__(self, model: PairModel) -> None:
        self._model = model
        self._before = [weight.numpy() for weight in model.trainable_variables]

    def measure(self) -> dict[str, float]:
        """Norms of the weights, of what the epoch changed, and of a batch's gradient.

        The batch is the next one to be drawn: at most `_PAIRS` of its pairs, no id
        dropped. `l2` is the regulariser's share of this batch's loss.
        """
        now = [weight.numpy() for weight in self._model.trainable_variables]
        moved = [a - b for a, b in zip(now, self._before, strict=True)]
        self._before = now
        gradient, l2 = self._gradient_and_l2()
        return {
            "gradient_norm": gradient,
            "weight_norm": _norm(now),
            "update_norm": _norm(moved),
            "l2": l2,
        }

    def _gradient_and_l2(self) -> tuple[float, float]:
        model = self._model
        plain = dataclasses.replace(model.training, l2=0.0)
        positions = tf.range(
            min(_PAIRS, model.batches.pairs, plain.batch_size), dtype=tf.int64
        )
        with tf.GradientTape() as tape:
            batch = model.batches.draw(positions, model.step, drop_ids=False)
            columns = model.columns_of(batch)
            user = model.network.user_representation(columns[0])
            video = model.network.video_representation(columns[1])
            logits, embedded = (
                model.logits_of(user, video),
                model.embeddings(user, video),
            )
            loss = losses.mean_loss(logits, embedded, batch.correction, plain)
            l2 = losses.embedding_l2(
                embedded, tf.size(logits), model.training.l2
            ) + losses.weight_l2(model.trainable_variables, model.training.l2)
            loss += l2
        gradients = tape.gradient(loss, model.trainable_variables)
        dense = [tf.convert_to_tensor(g).numpy() for g in gradients if g is not None]
        return _norm(dense), float(l2)


def _norm(parts: list[np.ndarray]) -> float:  # type: ignore[type-arg]
    """The norm of all parts as one vector."""
    return float(np.sqrt(sum(float(np.vdot(part, part)) for part in parts)))
