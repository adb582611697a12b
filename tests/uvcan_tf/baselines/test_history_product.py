"""The history product is its formula, learns two communities, and needs no user id."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.sparse import csr_matrix

from tests.uvcan_tf.baselines.communities import (
    USERS,
    VIDEOS,
    assert_learns,
    communities,
)
from uvcan_tf.baselines.history_product import (
    HistoryProduct,
    HistoryProductSettings,
    fit_history_product,
)
from uvcan_tf.config import ConfigError
from uvcan_tf.data.dataset import Dataset, Pairs

SMALL = HistoryProductSettings(
    factors=5, uniform=7, candidates=19, users=11, epochs=60, learning_rate=0.02, seed=3
)


@pytest.fixture(scope="module")
def world() -> Dataset:
    return communities()


@pytest.fixture(scope="module")
def fitted(world: Dataset) -> HistoryProduct:
    return fit_history_product(world, SMALL)


def vectors_of(model: HistoryProduct) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    layer = model.layer
    inputs, outputs, bias = (
        table.numpy()[1:-1] for table in (layer.inputs, layer.outputs, layer.bias)
    )
    return inputs, outputs, bias


def test_it_learns_two_communities(fitted: HistoryProduct, world: Dataset) -> None:
    assert_learns(fitted, world)


def test_a_score_is_the_product_with_the_sum_of_liked_videos(
    fitted: HistoryProduct, world: Dataset
) -> None:
    inputs, outputs, bias = vectors_of(fitted)
    liked = world.train.video[world.train.user == 2] - 1
    h = inputs[liked].sum(axis=0) / np.sqrt(len(liked))
    found = fitted.scores(np.array([2], np.int32))[0]
    np.testing.assert_allclose(found, outputs @ h + bias, rtol=1e-5, atol=1e-5)


def test_who_likes_nothing_is_rated_by_popularity(fitted: HistoryProduct) -> None:
    strangers = np.array([0, USERS + 1, USERS + 2], np.int32)
    bias = vectors_of(fitted)[2]
    np.testing.assert_allclose(fitted.scores(strangers), np.tile(bias, (3, 1)))


def test_a_person_of_two_likes_gets_the_rest_of_their_community(
    fitted: HistoryProduct,
) -> None:
    likes = csr_matrix(np.eye(VIDEOS + 1, dtype=np.float32)[[0, 1]].sum(0))
    first, second = np.split(fitted.scores_of_likes(likes)[0, :VIDEOS], 2)
    assert first[2:].min() > second.max()


@pytest.mark.parametrize("skipped", [[], [(1, 14), (1, 20), (24, 3), (30, 27)]])
def test_the_loss_is_the_softmax_over_shared_candidates(
    world: Dataset, skipped: list[tuple[int, int]]
) -> None:
    """Every number by loops, but for the draws themselves; what is skipped is out."""
    settings = dataclasses.replace(SMALL, l2=0.3)
    pairs = Pairs(*np.array(skipped, np.int32).reshape(-1, 2).T)
    model = HistoryProduct(dataclasses.replace(world, impressions=pairs), settings)
    users = [1, 24, 30]
    loss = float(model.compute_loss(tf.constant(users)))
    liked = [np.sort(world.train.video[world.train.user == u]) - 1 for u in users]
    draws = tf.random.stateless_uniform(
        [sum(map(len, liked))], tf.constant([0, 24], tf.int64)
    ).numpy()
    parts = np.split(draws < 0.7, np.cumsum([len(x) for x in liked])[:-1])
    uniform = tf.random.stateless_uniform(
        [7], tf.constant([0, 25], tf.int64), 0, VIDEOS + 1, tf.int32
    ).numpy()
    asked = [x[~chosen] for x, chosen in zip(liked, parts, strict=True)]
    candidates = list(dict.fromkeys([*np.concatenate(asked), *uniform]))
    inputs, outputs, bias = vectors_of(model)
    likes = np.bincount(world.train.video - 1, minlength=VIDEOS + 1)
    chance = 1 - (1 - 7 / (VIDEOS + 1)) * np.exp(-likes * 0.3 * 11 / USERS)
    losses, squares = [], np.square(outputs[candidates]).sum() / 2
    for user, own, chosen, wanted in zip(users, liked, parts, asked, strict=True):
        given = own[chosen]
        h = inputs[given].sum(axis=0) / np.sqrt(max(1, len(given)))
        squares += np.square(h).sum() / 2
        logit = {
            v: h @ outputs[v] + bias[v] - np.log(chance[v])
            for v in candidates
            if v not in given and (user, v + 1) not in skipped
        }
        total = np.log(sum(np.exp(x) for x in logit.values()))
        losses += [total - logit[v] for v in wanted]
    expected = np.mean(losses) + 0.3 * squares / 3
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


def test_the_same_seed_gives_the_same_scores(world: Dataset) -> None:
    settings = dataclasses.replace(SMALL, epochs=2)
    users = np.arange(1, USERS + 1, dtype=np.int32)
    first, again, other = (
        fit_history_product(world, dataclasses.replace(settings, seed=seed))
        for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(first.scores(users), again.scores(users))
    assert np.abs(first.scores(users) - other.scores(users)).max() > 1e-3


@pytest.mark.parametrize(
    "wrong",
    [{"factors": 0}, {"given": 1.5}, {"learning_rate": 0.0}, {"l2": -1.0}],
)
def test_a_setting_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        HistoryProductSettings(**wrong)  # type: ignore[arg-type]
