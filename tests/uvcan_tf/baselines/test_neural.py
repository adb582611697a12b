"""Neural baselines learn the checkerboard, score as they rate, and keep their halves.

Shapes: B users, V videos.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf.baselines import wide_and_deep
from uvcan_tf.baselines.hybrid import Hybrid
from uvcan_tf.baselines.neumf import NeuMF
from uvcan_tf.baselines.neural import NeuralSettings, Tower
from uvcan_tf.baselines.wide_and_deep import WideAndDeep, WideAndDeepSettings
from uvcan_tf.config import Config, ConfigError, ModelConfig, TrainingConfig
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.fit import fit

Build = Callable[[Dataset, Config], PairModel]
SMALL = NeuralSettings(factors=5, hidden=(7, 3))
WIDE = WideAndDeepSettings(factors=5, hidden=(7, 3), buckets=101)
MODELS: dict[str, Build] = {
    "NCF": lambda dataset, config: NeuMF(dataset, config.training, SMALL),
    "Wide&Deep": lambda dataset, config: WideAndDeep(dataset, config.training, WIDE),
    "Hybrid": lambda dataset, config: Hybrid(dataset, config.training, SMALL),
    "Video-Att": lambda dataset, config: UVCAN(
        dataset, Config(ModelConfig(video_attention_only=True), config.training)
    ),
}
SURE = Config(
    training=TrainingConfig(
        learning_rate=0.02, batch_size=64, epochs=15, validation_fraction=0
    )
)
each = pytest.mark.parametrize("build", MODELS.values(), ids=MODELS.keys())


def ratings(model: PairModel, pairs: Pairs) -> Any:
    pair = (tf.constant(pairs.user), tf.constant(pairs.video[:, None]))
    return model(pair).numpy()[:, 0]


@pytest.mark.slow
@each
def test_the_checkerboard_is_learned(build: Build) -> None:
    dataset, unseen, wrong = worlds.checkerboard()
    model = fit(dataset, SURE, build=build)
    right, other = ratings(model, unseen), ratings(model, wrong)
    assert (right[:, None] > other).mean() > 0.95


@each
def test_the_scorer_scores_as_the_model_rates(build: Build) -> None:
    dataset = worlds.small()
    model = build(dataset, worlds.SMALL_CONFIG)
    users = np.array([5, 0, 2, 3, 6], np.int32)
    videos = np.tile(np.arange(1, 12, dtype=np.int32), (5, 1))
    expected = model((tf.constant(users), tf.constant(videos))).numpy()
    np.testing.assert_allclose(model.scorer().scores(users), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["NCF", "Wide&Deep", "Hybrid"])
def test_what_was_skipped_is_no_negative(name: str) -> None:
    """All videos but two and the liked ones: only those two are drawn."""
    dataset = worlds.small()
    user = dataset.train.user[0]
    liked = dataset.train.video[dataset.train.user == user]
    other = np.setdiff1d(np.arange(1, dataset.videos.size + 1, dtype=np.int32), liked)
    skipped = Pairs(np.full(len(other) - 2, user, np.int32), other[2:])
    world = dataclasses.replace(dataset, impressions=skipped)
    model = MODELS[name](world, worlds.SMALL_CONFIG)
    positions = tf.range(model.batches.pairs, dtype=tf.int64)
    batch = model.batches.draw(positions, tf.constant(0, tf.int64), False)
    drawn = batch.videos.numpy()[batch.users.numpy() == user][:, 1:]
    assert drawn.size
    assert set(drawn.ravel()) <= set(other[:2])


@pytest.mark.parametrize("most", [0, 1 << 26])
def test_crosses_of_a_catalogue_are_those_of_pairs(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide_and_deep, "_CROSSED_AT_MOST", most)
    dataset = worlds.small()
    model = WideAndDeep(dataset, worlds.SMALL_CONFIG.training, WIDE)
    users = np.arange(7, dtype=np.int32)
    videos = np.tile(np.arange(1, 12, dtype=np.int32), (7, 1))
    model.network.crosses.assign(tf.random.stateless_normal([WIDE.buckets], [3, 5]))
    expected = model((tf.constant(users), tf.constant(videos))).numpy()
    scorer = model.scorer()
    assert isinstance(scorer._video.crossed, tuple) == (most == 0)
    np.testing.assert_allclose(scorer.scores(users), expected, atol=1e-5)


@each
def test_a_refreshed_scorer_follows_the_model(build: Build) -> None:
    model = build(worlds.small(), worlds.SMALL_CONFIG)
    users = np.arange(1, 6, dtype=np.int32)
    model((tf.constant([1]), tf.constant([[1]])))
    scorer = model.scorer()
    for number, weight in enumerate(model.network.trainable_variables):
        draw = np.random.default_rng(number).normal(size=weight.shape)
        weight.assign(draw)
    scorer.refresh(model)
    again = model.scorer().scores(users)
    np.testing.assert_array_equal(scorer.scores(users), again)


@each
def test_every_weight_gets_a_gradient(build: Build) -> None:
    config = dataclasses.replace(
        worlds.SMALL_CONFIG,
        training=dataclasses.replace(worlds.SMALL_CONFIG.training, l2=0.1),
    )
    model = build(worlds.small(), config)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(tf.range(7, dtype=tf.int64), training=True)
    weights = model.trainable_variables
    gradients = tape.gradient(loss, weights)
    assert [w.name for w, g in zip(weights, gradients, strict=True) if g is None] == []


def wide_only() -> WideAndDeep:
    """A model whose crosses alone differ from zero, each with a weight of its own."""
    settings = dataclasses.replace(WIDE, buckets=1 << 16)
    model = WideAndDeep(worlds.small(), worlds.SMALL_CONFIG.training, settings)
    model((tf.constant([1]), tf.constant([[1]])))
    for weight in model.network.weights:
        weight.assign(tf.zeros_like(weight))
    draw = np.random.default_rng(2).normal(size=1 << 16)
    model.network.crosses.assign(draw)
    return model


def test_a_user_without_attributes_has_no_crosses() -> None:
    ann, dan = wide_only().scorer().scores(np.array([1, 4], np.int32))
    assert len(set(ann)) > 5
    np.testing.assert_array_equal(dan, np.zeros(11))


def test_a_cross_is_one_weight_for_a_pair_of_values() -> None:
    model = wide_only()
    user, video = (
        model.user_representation(tf.constant([[1]])),
        model.video_representation([[1]]),
    )
    table = model.network.crosses.numpy()
    sizes = {n: len(v) + 2 for n, v in worlds.small().vocabularies.items()}
    values = 1 + sizes["author"] + sizes["tags"]
    expected = sum(
        table[int(i) * values + int(j)]
        for i in user.codes.numpy().ravel()
        for j in video.codes.numpy().ravel()
        if i and j
    )
    rated = model.network.rate(user, video).numpy().item()
    assert rated == pytest.approx(expected, rel=1e-5)


def test_the_tower_is_an_mlp_over_both_sides_at_once() -> None:
    tower = Tower((7, 3), seed=5)
    rng = np.random.default_rng(1)
    u, v = (rng.normal(size=s).astype(np.float32) for s in ([2, 1, 5], [2, 11, 4]))
    found = tower(tower.user_part(u), tower.video_part(v)).numpy()
    user, video, bias, second, last = (w.numpy() for w in tower.weights)
    x = np.maximum(np.concatenate([u.repeat(11, 1), v], -1) @ [*user, *video] + bias, 0)
    np.testing.assert_allclose(found, np.maximum(x @ second + last, 0), rtol=1e-4)


def test_settings_out_of_range_say_what_is_expected() -> None:
    assert NeuralSettings(factors=8).hidden_widths == (16, 8, 4)
    with pytest.raises(ConfigError, match="`factors` should be a positive int"):
        NeuralSettings(factors=0)
    with pytest.raises(ConfigError, match="`id_dropout` should be a number from 0 to"):
        NeuralSettings(id_dropout=1.5)
    with pytest.raises(ConfigError, match="`buckets` should be a positive int"):
        WideAndDeepSettings(buckets=0)
