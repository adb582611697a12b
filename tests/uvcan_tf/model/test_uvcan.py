"""The loss against equation (5), and worlds whose right answer is known.

Shapes: B observed pairs, S negatives of each.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import oracle, worlds
from uvcan_tf.config import Config, ModelConfig, TrainingConfig
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.features import USER_ID, VIDEO_ID
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.fit import fit

CONFIG = worlds.SMALL_CONFIG
SURE = Config(
    model=ModelConfig(factors=8, hops=2, hidden=(16, 8)),
    training=TrainingConfig(
        learning_rate=0.02, batch_size=64, epochs=8, validation_fraction=0
    ),
)


def untrained(config: Config = CONFIG) -> UVCAN:
    model = UVCAN(worlds.small(), config)
    model.rate(tf.constant([1]), tf.constant([[1]]))
    return model


def drawn(model: UVCAN, positions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Users [B] and videos [B, 1 + S] of the next step."""
    batch = model.batches.draw(positions, model.step, drop_ids=False)
    return batch.users, batch.videos


def test_the_loss_is_equation_5_over_the_drawn_batch() -> None:
    model = untrained()
    positions = tf.range(5, dtype=tf.int64)
    users, videos = drawn(model, positions)
    logits = model.rate(users, videos).logits.numpy()
    labels = [[1, *[0] * CONFIG.training.negatives]] * 5
    expected = oracle.cross_entropy(np.ravel(labels).tolist(), logits.ravel().tolist())
    assert float(model.compute_loss(positions)) == pytest.approx(expected, rel=1e-5)


def test_the_regulariser_adds_half_of_all_squares() -> None:
    training = dataclasses.replace(CONFIG.training, l2=0.1)
    plain, regular = (
        untrained(dataclasses.replace(CONFIG, training=t))
        for t in (CONFIG.training, training)
    )
    positions = tf.range(3, dtype=tf.int64)
    users, videos = drawn(plain, positions)
    X_u = plain.user_representation(users[:, None]).facets.X.numpy()
    X_v = plain.video_representation(videos).facets.X.numpy()
    embeddings = ((X_u**2).sum() + (X_v**2).sum()) / 2 / videos.numpy().size
    others = sum(
        float((w.numpy() ** 2).sum()) / 2
        for w in plain.trainable_variables
        if "embedding" not in w.name
    )
    expected = float(plain.compute_loss(positions)) + 0.1 * (embeddings + others)
    assert float(regular.compute_loss(positions)) == pytest.approx(expected, rel=1e-5)


def test_a_batch_is_observed_pairs_and_unobserved_ones() -> None:
    model, dataset = untrained(), worlds.small()
    observed = set(zip(dataset.train.user, dataset.train.video, strict=True))
    users, videos = (t.numpy() for t in drawn(model, tf.range(17, dtype=tf.int64)))
    positives = set(zip(users, videos[:, 0], strict=True))
    assert positives == observed  # one epoch meets every pair once
    negatives = {(u, v) for u, row in zip(users, videos, strict=True) for v in row[1:]}
    assert not negatives & observed


def test_ids_that_were_never_trained_share_the_unknown_row() -> None:
    model = untrained()
    dataset = worlds.small()
    eve, unknown = 5, dataset.users.unknown
    assert not dataset.trained_users[eve]
    assert model.tables.users(tf.constant([eve]))[USER_ID].numpy() == [unknown]
    missing = [v for v in range(1, 12) if not dataset.trained_videos[v]]
    rows = model.tables.videos(tf.constant(missing))[VIDEO_ID].numpy()
    assert missing
    assert (rows == dataset.videos.unknown).all()


def test_ids_are_dropped_in_training_only() -> None:
    config = dataclasses.replace(
        CONFIG, model=dataclasses.replace(CONFIG.model, id_dropout=1.0)
    )
    model, positions = untrained(config), tf.range(5, dtype=tf.int64)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(positions, training=True)
    (table,) = [v for v in model.trainable_variables if f"{USER_ID}_emb" in v.name]
    used = set(np.array(tape.gradient(loss, table).indices).ravel())
    assert used == {worlds.small().users.unknown}
    step = model.step.numpy()
    model.compute_loss(positions)
    assert model.step.numpy() == step == 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights() -> None:
    dataset = worlds.small()
    one, same = (fit(dataset, CONFIG).network.get_weights() for _ in range(2))
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a, b)


def logits(model: UVCAN, pairs: Pairs) -> Any:
    rated = model.rate(tf.constant(pairs.user), tf.constant(pairs.video[:, None]))
    return rated.logits.numpy()[:, 0]


def auc(positive: Any, negative: Any) -> float:
    """The share of right orders between one of each kind, ties counting half."""
    more = (positive[:, None] > negative).mean()
    return float(more + 0.5 * (positive[:, None] == negative).mean())


@pytest.fixture(scope="module")
def board() -> tuple[UVCAN, Dataset, Pairs, Pairs]:
    dataset, unseen, wrong = worlds.checkerboard()
    return fit(dataset, SURE), dataset, unseen, wrong


@pytest.mark.slow
def test_the_checkerboard_is_learned(
    board: tuple[UVCAN, Dataset, Pairs, Pairs],
) -> None:
    model, _, unseen, wrong = board
    assert auc(logits(model, unseen), logits(model, wrong)) > 0.97


@pytest.mark.slow
def test_a_stranger_of_a_known_colour_is_understood(
    board: tuple[UVCAN, Dataset, Pairs, Pairs],
) -> None:
    model, dataset, _, _ = board
    users, videos = dataset.users, dataset.videos
    colours = {"colour": users.columns["colour"][[1, 2]][:, None]}
    strangers = {USER_ID: np.full([2, 1], users.unknown), **colours}
    shades = {"shade": videos.columns["shade"][[1, 2]][None]}
    new = {VIDEO_ID: np.full([1, 2], videos.unknown), **shades}
    found = model.network(
        {name: tf.constant(c) for name, c in strangers.items()},
        {name: tf.constant(c) for name, c in new.items()},
    ).logits.numpy()
    assert min(found[0, 0], found[1, 1]) > max(found[0, 1], found[1, 0])


@pytest.mark.slow
def test_attention_turns_to_the_facet_that_matters() -> None:
    training = dataclasses.replace(SURE.training, epochs=25)
    dataset = worlds.planted()
    model = fit(dataset, dataclasses.replace(SURE, training=training))
    users, videos = np.meshgrid(np.arange(1, 49), np.arange(1, 61), indexing="ij")
    rated = model.rate(tf.range(1, 49), tf.constant(videos))
    found, right = rated.logits.numpy(), (users - videos) % 3 == 0
    assert auc(found[right], found[~right]) > 0.97
    weights = tf.reduce_mean(rated.video_attention[-1], axis=[0, 1]).numpy()
    mean = dict(zip(dataset.features.video_facets, weights, strict=True))
    assert mean["music"] > 0.5  # 0.25 before training
