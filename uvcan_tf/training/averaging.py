"""A moving average of the weights, which is what is measured, kept and served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


class Averaging(tf.keras.callbacks.Callback):
    """Puts the average into the weights after an epoch, and takes it out before one.

    a ← a + (w - a) max(1 - decay, 1 / epoch), so the first epochs count alike. Training
    itself never sees the average; see Polyak and Juditsky, Acceleration of Stochastic
    Approximation by Averaging (1992).

    Args:
      weights: of what is trained.
      decay: from 0 to below 1; with 0 the average is the weights themselves.

    Attributes:
      other: what the weights do not hold just now: the average during an epoch, else
        the weights of training. Empty where there is no average.
    """

    def __init__(self, weights: Sequence[tf.Variable], decay: float) -> None:
        super().__init__()
        self._weights = weights if decay else ()
        self._decay = decay
        self.other = [tf.Variable(w, trainable=False) for w in self._weights]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if not epoch:
            return
        for weight, other in zip(self._weights, self.other, strict=True):
            average = tf.identity(weight)
            weight.assign(other)
            other.assign(average)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        share = max(1 - self._decay, 1 / (epoch + 1))
        for weight, other in zip(self._weights, self.other, strict=True):
            trained = tf.identity(weight)
            weight.assign(other + (trained - other) * share)
            other.assign(trained)
