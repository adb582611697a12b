"""How large weights and their changes are, and the regulariser itself."""

from __future__ import annotations

from typing import Final

import numpy as np
import tensorflow as tf

from uvcan_tf.model import losses
from uvcan_tf.model.pair_model import PairModel

_PAIRS: Final = 512  # whose embeddings are looked up, at most


class Norms:
    """Euclidean norms over all trained weights, once an epoch.

    Args:
      model: built. A copy of its weights is kept, to be compared after the epoch.
    """

    def __init__(self, model: PairModel) -> None:
        self._model = model
        self._before = [weight.numpy() for weight in model.trainable_variables]

    def measure(self) -> dict[str, float]:
        """Norms of the weights and of what the epoch changed, and the regulariser.

        `l2` is its share of the loss of the next batch to be drawn: of at most `_PAIRS`
        of its pairs, no id dropped.
        """
        now = [weight.numpy() for weight in self._model.trainable_variables]
        moved = [a - b for a, b in zip(now, self._before, strict=True)]
        self._before = now
        l2 = self._l2() if self._model.training.l2 else 0.0
        return {"weight_norm": _norm(now), "update_norm": _norm(moved), "l2": l2}

    def _l2(self) -> float:
        model, training = self._model, self._model.training
        most = min(_PAIRS, model.batches.pairs, training.batch_size)
        positions = tf.range(most, dtype=tf.int64)
        batch = model.batches.draw(positions, model.step, drop_ids=False)
        user, video = model.columns_of(batch)
        embeddings = model.embeddings(
            model.network.user_representation(user),
            model.network.video_representation(video),
        )
        pairs = tf.size(batch.videos)
        looked_up = losses.embedding_l2(embeddings, pairs, training.l2)
        dense = losses.weight_l2(model.trainable_variables, training.l2)
        return float(looked_up + dense)


def _norm(parts: list[np.ndarray]) -> float:  # type: ignore[type-arg]
    """The norm of all parts as one vector."""
    return float(np.sqrt(sum(float(np.vdot(part, part)) for part in parts)))
