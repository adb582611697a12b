"""The first stage beside products and decompositions made with NumPy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf.catalogue import first_stage
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.catalogue.first_stage import FirstStage, directions
from uvcan_tf.config import HistorySettings, IALSSettings
from uvcan_tf.model.uvcan import UVCAN

VIDEOS, UNKNOWN = 11, 12
USERS = np.array([1, 3, 6], np.int32)  # 6 is the unknown user
WITH_PRODUCT = {
    "history": {"history": HistorySettings(factors=5)},
    "prior": {"prior": IALSSettings(factors=3)},
    "both": {"history": HistorySettings(factors=2), "prior": IALSSettings(factors=3)},
}


@pytest.fixture(params=WITH_PRODUCT.values(), ids=WITH_PRODUCT)
def model(request: pytest.FixtureRequest) -> UVCAN:
    config = dataclasses.replace(worlds.SMALL_CONFIG, **request.param)
    model = UVCAN(worlds.small(), config)
    model.rate(tf.constant([1]), tf.constant([[1]]))
    rng = np.random.default_rng(1)
    weights = [rng.normal(0, 0.5, w.shape) for w in model.network.weights]
    model.network.set_weights(weights)
    return model


def products(model: UVCAN) -> np.ndarray:
    """What the rating is made of but for the MLP, [users, videos]."""
    videos = tf.range(1, VIDEOS + 1)
    user = model.represent_users(tf.constant(USERS))
    video = model.represent_videos(videos)
    total = np.zeros([len(USERS), VIDEOS])
    for x, y in zip(user.history, video.history, strict=True):
        total += x.numpy() @ y.numpy().T
    for x, y in zip(user.prior, video.prior, strict=True):
        total += x.numpy() @ y.numpy().T
    return total


def users_of(model: UVCAN) -> tuple[FirstStage, object]:
    catalogue = Catalogue(model)
    return FirstStage(catalogue), catalogue.user_representation(USERS[:, None])


def test_few_factors_give_the_product_itself(model: UVCAN) -> None:
    stage, users = users_of(model)
    found = stage.products(users).numpy()
    np.testing.assert_allclose(found[:, :VIDEOS], products(model), atol=1e-5)
    assert (found[:, VIDEOS:] == tf.float32.min).all()


@pytest.mark.parametrize("P", [2, 32])
def test_the_greatest_products_come_first(
    model: UVCAN, P: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in two directions, where all that is left is compared in all of them."""
    monkeypatch.setattr(first_stage, "_DIRECTIONS", P)
    monkeypatch.setattr(first_stage, "_WIDENED", 4)
    stage, users = users_of(model)
    every = stage.products(users)
    found = stage.best(users, every, tf.constant([3, 5, 2])).numpy()
    order = 1 + np.argsort(-products(model), axis=1)
    for row, best, count in zip(found, order, [3, 5, 2], strict=True):
        np.testing.assert_array_equal(row[:count], best[:count])
        assert (row[count:] == UNKNOWN).all()


def test_what_is_lowest_is_not_found(model: UVCAN) -> None:
    stage, users = users_of(model)
    places = [[b, video] for b in range(3) for video in range(VIDEOS) if video != 4]
    lowest = tf.fill([len(places)], tf.float32.min)
    only = tf.tensor_scatter_nd_update(stage.products(users), places, lowest)
    found = stage.best(users, only, tf.constant([3, 3, 3])).numpy()
    np.testing.assert_array_equal(found, [[5, UNKNOWN, UNKNOWN]] * 3)


def test_the_first_directions_are_those_of_a_singular_value_decomposition() -> None:
    rng = np.random.default_rng(2)
    scales = np.array([3, 2, 1, 0.5, 0.2])
    u = (rng.normal(size=[70, 5]) * scales[::-1]).astype(np.float32)
    f = (rng.normal(1, 1, size=[110, 5]) * scales).astype(np.float32)
    of_user, of_video = directions(u, f)
    np.testing.assert_allclose((u @ of_user) @ (f @ of_video).T, u @ f.T, atol=1e-4)
    spread = u @ (f - f.mean(axis=0)).T
    left, values, right = np.linalg.svd(spread, full_matrices=False)
    best = (left[:, :2] * values[:2]) @ right[:2]
    ours = (u @ of_user[:, :2]) @ (f @ of_video[:, :2]).T
    ours -= ours.mean(axis=1, keepdims=True)
    assert np.linalg.norm(spread - ours) < 1.001 * np.linalg.norm(spread - best)
