"""Scores from halves computed once are the scores of the model itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf.catalogue import catalogue as module
from uvcan_tf.catalogue import compiled_rating
from uvcan_tf.catalogue.blocks import ON_CPU, ON_GPU, BlockSize
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import HistorySettings
from uvcan_tf.model.uvcan import UVCAN

USERS = np.array([1, 3, 4, 5, 6], np.int32)  # 6 is the unknown user
VIDEOS = 11


@pytest.fixture(params=[None, HistorySettings(factors=3)], ids=["paper", "history"])
def model(request: pytest.FixtureRequest) -> UVCAN:
    config = dataclasses.replace(worlds.SMALL_CONFIG, history=request.param)
    model = UVCAN(worlds.small(), config)
    model.rate(tf.constant([1]), tf.constant([[1]]))
    shake(model, seed=1)
    return model


def shake(model: UVCAN, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, 0.5, w.shape) for w in model.network.weights]
    model.network.set_weights(weights)


def direct(model: UVCAN) -> np.ndarray:
    videos = np.tile(np.arange(1, VIDEOS + 1, dtype=np.int32), [len(USERS), 1])
    return model.rate(tf.constant(USERS), tf.constant(videos)).logits.numpy()


def rate_every(catalogue: Catalogue) -> np.ndarray:
    rate = tf.function(catalogue.rate_every, autograph=False)
    return rate(catalogue.user_representation(USERS[:, None])).numpy()


def test_scores_are_the_logits_of_the_model(model: UVCAN) -> None:
    scores = Catalogue(model).scores(USERS)
    np.testing.assert_allclose(scores, direct(model), rtol=1e-5, atol=1e-5)


def test_a_graph_rates_the_catalogue_as_the_model_does(model: UVCAN) -> None:
    logits = rate_every(Catalogue(model))
    np.testing.assert_allclose(logits, direct(model), rtol=1e-5, atol=1e-5)


def test_a_catalogue_of_several_blocks_scores_the_same(
    model: UVCAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 3)
    monkeypatch.setattr(module, "USERS_AT_ONCE", 2)
    monkeypatch.setattr(compiled_rating, "USERS_AT_ONCE", 2)
    catalogue = Catalogue(model, BlockSize(4, 3))
    scores = catalogue.scores(USERS)
    assert scores.shape == (len(USERS), VIDEOS)
    np.testing.assert_allclose(scores, direct(model), rtol=1e-5, atol=1e-5)
    logits = rate_every(catalogue)
    np.testing.assert_allclose(logits, direct(model), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("block", [1, 2, 3, 5, 7])
def test_some_videos_are_rated_as_in_the_model(model: UVCAN, block: int) -> None:
    videos = tf.constant([12, 1, 7, 7, 0])
    catalogue = Catalogue(model, BlockSize(block, block))
    logits = catalogue.rate_some(tf.constant(6), videos)
    expected = model.rate(tf.constant([6]), videos[None]).logits[0]
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)


def test_none_of_the_videos_is_rated(model: UVCAN) -> None:
    nothing = tf.zeros([0], tf.int32)
    assert Catalogue(model).rate_some(tf.constant(6), nothing).shape == [0]


def test_chosen_videos_are_rated_as_in_the_model(model: UVCAN) -> None:
    users = tf.constant([2, 6])
    videos = tf.constant([[1, 12, 0], [12, 7, 7]])
    rated = Catalogue(model).rate(users, videos)
    expected = model.rate(users, videos)
    np.testing.assert_allclose(rated.logits, expected.logits, atol=1e-4)
    for a, b in zip(rated.video_attention, expected.video_attention, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_refresh_follows_the_weights(model: UVCAN) -> None:
    catalogue = Catalogue(model)
    before = catalogue.scores(USERS)
    shake(model, seed=2)
    catalogue.refresh(model)
    after = catalogue.scores(USERS)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, direct(model), atol=1e-4)


def test_a_catalogue_for_a_gpu_scores_the_same(model: UVCAN) -> None:
    on_cpu, on_gpu = (Catalogue(model, size) for size in (ON_CPU, ON_GPU))
    np.testing.assert_allclose(
        on_gpu.scores(USERS), on_cpu.scores(USERS), rtol=1e-5, atol=1e-5
    )


def test_nobody_has_no_scores(model: UVCAN) -> None:
    assert Catalogue(model).scores(np.empty(0, np.int32)).shape == (0, VIDEOS)
