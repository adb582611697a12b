"""Training with products in bfloat16 learns what it learns in float32."""

import dataclasses
import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from tests.uvcan_tf.training import worker
from uvcan_tf.config import Config, ConfigError, HistorySettings, from_json
from uvcan_tf.model.blocked_loss import WORTHWHILE_FROM
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.fit import fit

EPOCHS = 6
#: Of the loss of an epoch, as it falls from 0.57 to 0.26.
TOLERANCE = 0.01


def in_precision(config: Config, precision: str, **changes: Any) -> Config:
    training = dataclasses.replace(config.training, precision=precision, **changes)
    return dataclasses.replace(config, training=training)


def gradients(config: Config) -> tuple[float, list[np.ndarray]]:
    model = UVCAN(worlds.planted(), config)
    model((tf.constant([1]), tf.constant([[1]])))
    rng = np.random.default_rng(1)
    model.network.set_weights(
        [rng.normal(0, 0.3, w.shape) for w in model.network.weights]
    )
    with tf.GradientTape() as tape:
        loss = model.compute_loss(tf.range(32, dtype=tf.int64), training=True)
    found = tape.gradient(loss, model.network.trainable_variables)
    return float(loss), [
        tf.convert_to_tensor(g).numpy() for g in found if g is not None
    ]


@pytest.mark.parametrize("batch_size", [32, WORTHWHILE_FROM], ids=["plain", "blocks"])
@pytest.mark.parametrize("history", [None, HistorySettings(factors=8)])
def test_a_step_is_that_of_float32_but_for_rounding(
    batch_size: int, history: HistorySettings | None
) -> None:
    config = dataclasses.replace(worlds.SMALL_CONFIG, history=history)
    exact, rounded = (
        gradients(in_precision(config, precision, batch_size=batch_size))
        for precision in ("float32", "bfloat16")
    )
    assert exact[0] != rounded[0]
    np.testing.assert_allclose(rounded[0], exact[0], rtol=0.02)
    flat = [np.concatenate([g.ravel() for g in found[1]]) for found in (exact, rounded)]
    assert flat[1].dtype == np.float32
    assert np.linalg.norm(flat[1] - flat[0]) < 0.03 * np.linalg.norm(flat[0])


def test_the_losses_of_training_are_those_of_float32() -> None:
    losses: dict[str, list[float]] = {}
    for precision in ("float32", "bfloat16"):
        told: list[str] = []
        config = in_precision(worker.config("none", 32, EPOCHS), precision)
        fit(worlds.planted(), config, report=told.append)
        found = (re.match(r"Epoch \d+: loss (\S+),", line) for line in told)
        losses[precision] = [float(match[1]) for match in found if match]
    assert losses["float32"][-1] < losses["float32"][0] / 2
    assert len(losses["bfloat16"]) == EPOCHS
    np.testing.assert_allclose(losses["bfloat16"], losses["float32"], atol=TOLERANCE)


def test_what_is_measured_and_served_is_float32() -> None:
    config = in_precision(worlds.SMALL_CONFIG, "bfloat16", batch_size=32)
    models = [
        UVCAN(worlds.planted(), settings)
        for settings in (config, in_precision(config, "float32"))
    ]
    users, videos = tf.constant([1, 2]), tf.constant([[1, 2], [3, 4]])
    for model in models:
        model.compute_loss(tf.range(32, dtype=tf.int64), training=True)
        model.network.set_weights(models[0].network.get_weights())
    ours, theirs = (model.rate(users, videos).logits for model in models)
    np.testing.assert_array_equal(ours, theirs)


def test_other_precisions_are_refused() -> None:
    sentence = r"^`training\.precision` should be one of float32, bfloat16\. Received"
    with pytest.raises(ConfigError, match=sentence):
        from_json({"training": {"precision": "float16"}})
