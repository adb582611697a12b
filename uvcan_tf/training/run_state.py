"""What a run must remember between epochs, and after it was killed."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from uvcan_tf.config import TrainingConfig
from uvcan_tf.model.pair_model import Network
from uvcan_tf.training.averaging import Averaging


class RunState:
    """The epochs done, and the best of them with its weights.

    Keras' own EarlyStopping and BackupAndRestore forget the best epoch and the patience
    left when a run is resumed; here they are part of the checkpoint.

    Args:
      network: built; its weights are kept.
      average_decay: as `TrainingConfig` has it.

    Attributes:
      averaging: of the network's weights.
      epoch: the last one done, from 1; 0 before the first.
      best: the best epoch's validation NDCG@100; lowest where nothing was measured.
      best_epoch: the epoch whose weights are kept.
      weights: the weights that are kept.
    """

    def __init__(self, network: Network, average_decay: float = 0.0) -> None:
        self._network = network
        self.averaging = Averaging(network.weights, average_decay)
        self.epoch = tf.Variable(0, dtype=tf.int64)
        self.best = tf.Variable(-np.inf, dtype=tf.float64)
        self.best_epoch = tf.Variable(0, dtype=tf.int64)
        self.weights = [tf.Variable(v, trainable=False) for v in network.weights]

    def end_epoch(self, epoch: int, ndcg: float | None) -> None:
        """Keeps the weights if they are the best so far, or nothing was measured."""
        self.epoch.assign(epoch)
        if ndcg is not None and ndcg <= float(self.best.numpy()):
            return
        if ndcg is not None:
            self.best.assign(ndcg)
        self.best_epoch.assign(epoch)
        for kept, weight in zip(self.weights, self._network.weights, strict=True):
            kept.assign(weight)

    def restore_best(self) -> None:
        """Puts the kept weights into the network."""
        for kept, weight in zip(self.weights, self._network.weights, strict=True):
            weight.assign(kept)

    def epochs_left(self, training: TrainingConfig) -> int:
        """How many epochs may still follow; 0 once patience has run out."""
        waited = int(self.epoch.numpy()) - int(self.best_epoch.numpy())
        if int(self.epoch.numpy()) and waited >= training.patience:
            return 0
        return training.epochs - int(self.epoch.numpy())
