"""UVCAN with the users' likes: each part beside NumPy, alone and together."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from tests.uvcan_tf.baselines.communities import USERS, VIDEOS, communities
from uvcan_tf.config import Config, HistorySettings, ModelConfig, TrainingConfig
from uvcan_tf.features import LIKED_VIDEOS
from uvcan_tf.model.batches import shuffled
from uvcan_tf.model.shared_softmax import SharedCandidates, product_loss
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.fit import fit

SMALL = HistorySettings(factors=3, uniform=4, users=3)
ALONE = {
    "product": {"facet": False, "shared_softmax": False},
    "shared_softmax": {"facet": False, "product": False},
    "all": {},
}


def config(**changes: Any) -> Config:
    history = dataclasses.replace(SMALL, **changes)
    return dataclasses.replace(worlds.SMALL_CONFIG, history=history)


def shaken(settings: Config) -> UVCAN:
    model = UVCAN(worlds.small(), settings)
    model((tf.constant([1]), tf.constant([[1]])))
    rng = np.random.default_rng(1)
    weights = [rng.normal(0, 0.5, w.shape) for w in model.network.weights]
    model.network.set_weights(weights)
    return model


def history_of(model: UVCAN, videos: np.ndarray) -> np.ndarray:
    table = model.network.liked_videos.inputs.numpy()
    return table[videos].sum(axis=0) / np.sqrt(max(1, len(videos)))


def test_the_product_is_what_is_added_to_the_rating() -> None:
    model = shaken(config(facet=False))
    users, videos = tf.constant([1, 3]), tf.constant([[2, 5], [1, 7]])
    user = model.user_representation(users[:, None])
    video = model.video_representation(videos)
    less = (part._replace(history=()) for part in (user, video))
    found = model.logits_of(user, video) - model.logits_of(*less)
    layer, train = model.network.liked_videos, model.dataset.train
    known = model.tables.videos(videos)["video_id"].numpy()
    for row, own in enumerate((1, 3)):
        h = history_of(model, train.video[train.user == own])
        o, b = layer.outputs.numpy()[known[row]], layer.bias.numpy()[known[row]]
        np.testing.assert_allclose(found[row], o @ h + b, rtol=1e-4, atol=1e-5)


def test_before_training_a_rating_is_the_product_alone() -> None:
    model = UVCAN(worlds.small(), config())
    users, videos = tf.constant([1, 3]), tf.constant([[2, 5], [1, 7]])
    found = model.logits_of(
        model.user_representation(users[:, None]), model.video_representation(videos)
    )
    layer, train = model.network.liked_videos, model.dataset.train
    known = model.tables.videos(videos)["video_id"].numpy()
    for row, own in enumerate((1, 3)):
        h = history_of(model, train.video[train.user == own])
        o, b = layer.outputs.numpy()[known[row]], layer.bias.numpy()[known[row]]
        np.testing.assert_allclose(found[row], o @ h + b, rtol=1e-4, atol=1e-6)


def test_the_product_learns_as_it_does_alone() -> None:
    """The network beside it, wherever it stands, changes no gradient of it."""
    model = shaken(config(dropout=1.0, l2=0.3))
    users, at_once = model.examples
    positions = tf.range(at_once, dtype=tf.int64)
    layer = model.network.liked_videos
    with tf.GradientTape() as tape:
        loss = model.compute_loss(positions, training=True)
    found = tape.gradient(loss, layer.trainable_variables)
    first = tf.constant(0, tf.int64)
    chosen = shuffled(positions, users, model.training.seed, first)
    rows = tf.gather(np.unique(model.dataset.train.user), chosen)
    likes = SharedCandidates(
        model.dataset, model.histories, model.config.history, model.training.seed
    )
    drawn = likes.draw(rows, first)
    known = model.tables.videos(drawn.candidates)["video_id"]
    with tf.GradientTape() as tape:
        h = layer(drawn.given, at_once)
        alone = product_loss(drawn, layer, known, h, l2=0.3)
    expected = tape.gradient(alone, layer.trainable_variables)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(
            tf.convert_to_tensor(one), tf.convert_to_tensor(other), atol=1e-6
        )
    assert loss > alone + 0.01  # the network learns, too


def test_dropout_leaves_the_network_without_some_histories() -> None:
    """Of users without a history in training, the facet learns nothing."""
    model = shaken(config(dropout=1.0, product=False))
    [W] = [w for w in model.network.user_embedding.weights if LIKED_VIDEOS in w.name]

    def change(training: bool) -> float:
        with tf.GradientTape() as tape:
            positions = tf.range(model.examples[1], dtype=tf.int64)
            loss = model.compute_loss(positions, training)
        gradient = tape.gradient(loss, W, unconnected_gradients="zero")
        return float(tf.reduce_max(tf.abs(tf.convert_to_tensor(gradient))))

    assert change(training=True) == 0 < change(training=False)
    settings = HistorySettings(dropout=0.25)
    likes = SharedCandidates(model.dataset, model.histories, settings, seed=1)
    kept = likes.dropped(tf.ones([10_000, 2]), tf.constant(3, tf.int64))
    assert np.unique(kept.numpy(), axis=0).tolist() == [[0, 0], [1, 1]]
    assert kept.numpy().mean() == pytest.approx(0.75, abs=0.02)


def test_the_facet_is_the_history_projected() -> None:
    model = shaken(config(product=False))
    facets = model.user_representation(tf.constant([[4], [5]])).facets
    [W] = [w for w in model.network.user_embedding.weights if LIKED_VIDEOS in w.name]
    train = model.dataset.train
    expected = history_of(model, train.video[train.user == 4]) @ W.numpy()
    np.testing.assert_allclose(facets.X[0, 0, -1], expected, rtol=1e-4, atol=1e-5)
    assert facets.mask[:, 0, -1].numpy().tolist() == [True, False]  # 5 likes nothing


def test_the_asked_video_does_not_speak_for_itself() -> None:
    """Of a user of one like, the loss sees no history at all."""
    settings = config(shared_softmax=False)
    dataset = worlds.small()
    one = dataset.train.user != 1
    one[np.argmin(one)] = True
    dataset = dataclasses.replace(dataset, train=dataset.train.where(one))
    model = UVCAN(dataset, settings)
    model((tf.constant([1]), tf.constant([[1]])))
    [position] = [
        p
        for p in range(len(dataset.train))
        if model.batches.draw(tf.constant([p], tf.int64), model.step, False).users == 1
    ]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(tf.constant([position], tf.int64))
    inputs = model.network.liked_videos.inputs
    gradient = tape.gradient(loss, inputs, unconnected_gradients="zero")
    assert not tf.reduce_any(tf.convert_to_tensor(gradient) != 0)


@pytest.mark.slow
@pytest.mark.parametrize("changes", ALONE.values(), ids=ALONE.keys())
def test_a_part_alone_learns_two_communities(changes: dict[str, bool]) -> None:
    history = HistorySettings(factors=5, uniform=7, users=11, **changes)
    settings = Config(
        model=ModelConfig(factors=8),
        training=TrainingConfig(
            learning_rate=0.01, batch_size=64, epochs=20, validation_fraction=0
        ),
        history=history,
    )
    world = communities()
    scores = fit(world, settings).scorer().scores(world.test.user)
    own = scores[np.arange(USERS), world.test.video - 1]
    first, second = scores[:, : VIDEOS // 2], scores[:, VIDEOS // 2 : VIDEOS]
    other = np.where(world.test.video[:, None] <= VIDEOS // 2, second, first)
    assert (own > other.max(axis=1)).mean() > 0.9


def test_all_likes_are_the_history_once_trained() -> None:
    training = dataclasses.replace(
        worlds.SMALL_CONFIG.training, epochs=1, validation_fraction=0.4
    )
    dataset = worlds.small()
    model = fit(dataset, dataclasses.replace(config(), training=training))
    assert len(model.dataset.train) < len(dataset.train)
    trained = model.dataset.trained_videos
    likes = model.histories.of(tf.range(1, dataset.users.size + 1))
    assert tf.size(likes.video) == trained[dataset.train.video].sum()
