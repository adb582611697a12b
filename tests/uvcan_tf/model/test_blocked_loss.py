"""The loss by blocks is the loss of the whole batch, and so are its gradients."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf.config import Config, HistorySettings, IALSSettings
from uvcan_tf.model import uvcan
from uvcan_tf.model.batches import Batch
from uvcan_tf.model.blocked_loss import WORTHWHILE_FROM
from uvcan_tf.model.uvcan import UVCAN

SMALL = worlds.SMALL_CONFIG
CONFIGS = {
    "the paper's": SMALL,
    "with L2": dataclasses.replace(
        SMALL, training=dataclasses.replace(SMALL.training, l2=0.1)
    ),
    "Video-Att": dataclasses.replace(
        SMALL, model=dataclasses.replace(SMALL.model, video_attention_only=True)
    ),
    "a softmax over popular videos": dataclasses.replace(
        SMALL,
        training=dataclasses.replace(
            SMALL.training, softmax=True, popular_negatives=0.5
        ),
    ),
    "with a prior": dataclasses.replace(SMALL, prior=IALSSettings(factors=3)),
    "with a history": dataclasses.replace(
        SMALL, history=HistorySettings(factors=3, shared_softmax=False)
    ),
}


def learned(config: Config, batch_size: int, pairs: int) -> tuple[float, list[Any]]:
    """The loss of so many pairs, and its gradients as arrays."""
    training = dataclasses.replace(config.training, batch_size=batch_size)
    dataset = worlds.small()
    model = UVCAN(dataset, dataclasses.replace(config, training=training))
    model((tf.constant([1]), tf.constant([[1]])))
    positions = tf.range(pairs, dtype=tf.int64) % model.examples[0]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(positions, training=True)
    gradients = tape.gradient(
        loss, model.trainable_variables, unconnected_gradients="zero"
    )
    return float(loss), [tf.convert_to_tensor(g).numpy() for g in gradients]


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
@pytest.mark.parametrize(
    ("batch_size", "pairs"), [(WORTHWHILE_FROM, 7), (2 * WORTHWHILE_FROM + 3,) * 2]
)
def test_blocks_give_the_loss_and_gradients_of_the_batch(
    config: Config, batch_size: int, pairs: int
) -> None:
    whole, expected = learned(config, WORTHWHILE_FROM - 1, pairs)
    blocked, gradients = learned(config, batch_size, pairs)
    assert blocked == pytest.approx(whole, rel=1e-5)
    for one, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_where_users_share_candidates_blocks_leave_the_product_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = HistorySettings(factors=3, uniform=4)
    config = dataclasses.replace(SMALL, history=history)
    whole, expected = learned(config, WORTHWHILE_FROM, 4)
    monkeypatch.setattr(uvcan, "WORTHWHILE_FROM", 1)
    blocked, gradients = learned(config, WORTHWHILE_FROM, 4)
    assert blocked == pytest.approx(whole, rel=1e-5)
    for one, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_gradients_are_scaled_by_what_comes_after_the_loss() -> None:
    training = dataclasses.replace(SMALL.training, batch_size=WORTHWHILE_FROM)
    model = UVCAN(worlds.small(), dataclasses.replace(SMALL, training=training))
    users, videos = tf.constant([1, 2]), tf.constant([[1, 2], [3, 5]])
    batch = Batch(users, videos, users[:, None], videos, tf.zeros([2, 2]))
    columns = model.tables.of_batch(batch)
    with tf.GradientTape(persistent=True) as tape:
        loss = model.mean_loss(*columns, batch.correction)
        thrice = 3 * loss
    for weight in model.network.trainable_variables:
        one, three = (
            tf.convert_to_tensor(tape.gradient(y, weight)) for y in (loss, thrice)
        )
        np.testing.assert_allclose(three, 3 * one, rtol=1e-5, atol=1e-9)
