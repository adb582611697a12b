"""Videos that nobody liked: the history's product knows them by their attributes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.uvcan_tf.model.test_uvcan_history import history_of
from uvcan_tf.config import Config, HistorySettings, TrainingConfig
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, Pairs, Side
from uvcan_tf.features import Categorical, Features
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.fit import fit

AUTHORS, EACH = 4, 10  # every author's last video is new
USERS = 60


def of_authors() -> Dataset:
    """Each user likes most of one author's videos, at random, and none of the others'.

    The likes of the new videos are the test pairs.
    """
    draw = np.random.default_rng(4)
    liked = [
        (user + 1, user % AUTHORS * EACH + number + 1)
        for user in range(USERS)
        for number in range(EACH)
        if draw.random() < 0.7
    ]
    users, videos = np.array(liked, np.int32).T
    pairs, new = Pairs(users, videos), videos % EACH == 0
    count = AUTHORS * EACH
    author = np.r_[0, np.repeat(np.arange(AUTHORS) + 1, EACH), AUTHORS + 1]
    return Dataset(
        features=Features(user=(), video=(Categorical("author"),)),
        users=Side(np.array([f"u{i}" for i in range(USERS)], object), {}),
        videos=Side(
            np.array([f"v{i}" for i in range(count)], object),
            {"author": author.astype(np.int32)},
        ),
        vocabularies={"author": [f"a{i}" for i in range(AUTHORS)]},
        train=pairs.where(~new),
        test=pairs.where(new),
        impressions=NO_PAIRS,
    )


def config(ridge: float) -> Config:
    history = HistorySettings(
        factors=6, facet=False, uniform=8, users=10, attribute_ridge=ridge
    )
    training = TrainingConfig(
        learning_rate=0.01, epochs=10, batch_size=32, validation_fraction=0
    )
    return Config(training=training, history=history)


def closed_form(model: UVCAN, ridge: float) -> np.ndarray:
    """o of all videos, by a linear solve of the weighted ridge regression."""
    dataset, o = model.dataset, model.network.liked_videos.outputs.numpy()[1:-1]
    likes = np.bincount(dataset.train.video, minlength=len(o) + 1)[1:]
    known = likes > 0
    X = np.eye(AUTHORS)[dataset.videos.columns["author"][1:-1] - 1]
    c = np.sqrt(likes[known]) / np.sqrt(likes[known]).mean()
    mean = np.average(o[known], axis=0, weights=c)
    gram = X[known].T @ np.diag(c) @ X[known] + ridge * np.eye(AUTHORS)
    A = np.linalg.solve(gram, X[known].T @ np.diag(c) @ (o[known] - mean))
    return np.where(known[:, None], o, X @ A + mean)


@pytest.fixture(scope="module")
def model() -> UVCAN:
    return fit(of_authors(), config(ridge=2.0))


def test_new_videos_have_the_factors_that_their_attributes_tell(model: UVCAN) -> None:
    rows = tf.range(1, AUTHORS * EACH + 1)
    video = model.video_representation(rows[None])
    [factors] = video.history
    o, layer = closed_form(model, ridge=2.0), model.network.liked_videos
    np.testing.assert_allclose(factors[0, :, :-1], o, rtol=1e-3, atol=1e-4)
    b = layer.bias.numpy()
    is_new = rows.numpy() % EACH == 0
    expected = np.where(is_new, b[-1], b[1:-1])
    np.testing.assert_allclose(factors[0, :, -1], expected)
    user = model.user_representation(tf.constant([[3]]))
    found = model.logits_of(user, video)[0]
    found -= model.logits_of(user._replace(history=()), video._replace(history=()))[0]
    h = history_of(model, model.dataset.train.video[model.dataset.train.user == 3])
    np.testing.assert_allclose(found, o @ h + expected, rtol=1e-3, atol=1e-3)


def test_the_product_of_new_videos_spreads_as_far_as_it_is_told_to() -> None:
    """Around the mean of the others, and also once it has learned anew."""
    model = UVCAN(of_authors(), config(2.0))
    model.as_new_videos(False, spread=0.25)
    model.complete(model.dataset)
    new = np.arange(1, AUTHORS + 1) * EACH
    [factors] = model.video_representation(tf.constant(new)).history
    o = closed_form(model, ridge=2.0)
    likes = np.sqrt(np.bincount(model.dataset.train.video, minlength=len(o) + 1)[1:])
    mean = np.average(o, axis=0, weights=likes)
    expected = mean + 0.25 * (o[new - 1] - mean)
    np.testing.assert_allclose(factors[:, :-1], expected, rtol=1e-3, atol=1e-5)


def own_first(model: UVCAN) -> float:
    """The share of users who have the new video of their author before the others."""
    new = np.arange(1, AUTHORS + 1) * EACH - 1
    scores = model.scorer().scores(np.arange(USERS) + 1)[:, new]
    first = scores == scores.max(axis=1, keepdims=True)
    own = first[np.arange(USERS), np.arange(USERS) % AUTHORS] & (first.sum(axis=1) == 1)
    return float(own.mean())


def test_new_videos_are_for_who_likes_the_same_attributes(model: UVCAN) -> None:
    assert own_first(model) > 0.95


def test_without_the_ridge_the_product_rates_all_new_videos_alike() -> None:
    found = fit(of_authors(), config(ridge=0.0))
    rows = tf.constant([[EACH, 2 * EACH, 3 * EACH]])
    [factors] = found.video_representation(rows).history
    np.testing.assert_array_equal(factors[0, 1:], factors[0, :-1])


def test_what_training_draws_does_not_depend_on_attributes(model: UVCAN) -> None:
    """The product learns by ids alone: the regression follows it, once it has ended."""
    without = fit(of_authors(), config(ridge=0.0))
    for own, other in zip(model.network.weights, without.network.weights, strict=True):
        np.testing.assert_array_equal(own, other)


def test_a_video_is_new_whose_likes_all_stop_training() -> None:
    training = dataclasses.replace(
        config(2.0).training, epochs=1, validation_fraction=0.5
    )
    dataset = of_authors()
    few = dataset.train.video != 1
    few[np.argmin(few)] = True
    dataset = dataclasses.replace(dataset, train=dataset.train.where(few))
    model = fit(dataset, dataclasses.replace(config(2.0), training=training))
    known = model.dataset.trained_videos[1:-1]
    [factors] = model.video_representation(tf.range(1, AUTHORS * EACH + 1)).history
    expected = closed_form(model, ridge=2.0)
    assert (~known).sum() >= AUTHORS
    np.testing.assert_allclose(factors[:, :-1], expected, rtol=1e-3, atol=1e-4)
