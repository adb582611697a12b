"""The norm of an epoch's last gradient, beside one that is taken on its own."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from tests import worlds
from uvcan_tf.config import Config
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.fit import positions
from uvcan_tf.training.sparse_adam import SparseAdam


def config(batch: int) -> Config:
    training = dataclasses.replace(
        worlds.SMALL_CONFIG.training, batch_size=batch, l2=0.1
    )
    model = dataclasses.replace(worlds.SMALL_CONFIG.model, id_dropout=0.0)
    return dataclasses.replace(worlds.SMALL_CONFIG, training=training, model=model)


def compiled(batch: int) -> UVCAN:
    model = UVCAN(worlds.small(), config(batch))
    model((tf.constant([1]), tf.constant([[1]])))
    model.compile(SparseAdam(0.01))
    return model


class Steps(tf.keras.callbacks.Callback):
    """Keeps what every step tells of the norm."""

    def __init__(self) -> None:
        super().__init__()
        self.norms: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.norms.append(logs["gradient_norm"])


def test_it_is_the_norm_of_the_dense_gradient_of_the_step() -> None:
    pairs = compiled(64).batches.pairs
    model, other = compiled(pairs), compiled(pairs)
    with tf.GradientTape() as tape:
        loss = other.compute_loss(tf.range(pairs, dtype=tf.int64))
    gradients = tape.gradient(loss, other.trainable_variables)
    dense = [tf.convert_to_tensor(g).numpy().ravel() for g in gradients]
    history = model.fit(positions(pairs, pairs), verbose=0).history
    expected = np.linalg.norm(np.concatenate(dense))
    np.testing.assert_allclose(history["gradient_norm"], [expected], rtol=1e-4)


def test_it_is_taken_at_the_last_step_of_an_epoch_only() -> None:
    model, steps = compiled(8), Steps()
    epoch = positions(model.batches.pairs, 8)
    model.fit(epoch, epochs=2, verbose=0, callbacks=[steps])
    each = model.batches.steps
    assert each > 1 and len(steps.norms) == 2 * each
    taken = [number for number, norm in enumerate(steps.norms) if norm > 0]
    assert taken == [each - 1, 2 * each - 1]
