"""Norms, against the model's own loss and NumPy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf.config import Config
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.tensorboard.norms import Norms


def config(l2: float) -> Config:
    training = dataclasses.replace(worlds.SMALL_CONFIG.training, l2=l2)
    return dataclasses.replace(worlds.SMALL_CONFIG, training=training)


def loss(model: UVCAN) -> float:
    """Of the first batch, by the model itself."""
    batch = model.training.batch_size
    return float(model.compute_loss(tf.range(batch, dtype=tf.int64)))


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_l2_is_what_the_loss_has_more_than_without_it(l2: float) -> None:
    plain, model = (UVCAN(worlds.small(), config(x)) for x in (0.0, l2))
    expected = loss(model) - loss(plain)
    np.testing.assert_allclose(Norms(model).measure()["l2"], expected, atol=1e-5)
    assert (expected > 0.01) is (l2 > 0)


def test_the_update_is_what_changed_since_the_last_measure() -> None:
    model = UVCAN(worlds.small(), config(0.0))
    loss(model)  # builds the network
    norms = Norms(model)
    assert norms.measure()["update_norm"] == 0
    kernel = next(w for w in model.trainable_variables if "kernel" in w.name)
    kernel.assign_add(2 * tf.ones_like(kernel))
    size = int(np.prod(kernel.shape))
    np.testing.assert_allclose(
        norms.measure()["update_norm"], 2 * np.sqrt(size), rtol=1e-5
    )
    assert norms.measure()["update_norm"] == 0
