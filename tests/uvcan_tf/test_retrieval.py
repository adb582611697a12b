"""Two towers find what UVCAN then ranks."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf import retrieval
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import TrainingConfig
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.retrieval import Towers, TwoStage, brute_force, streaming

pytestmark = pytest.mark.slow  # TFRS' task is rewritten by autograph first

VIDEOS = 11


@pytest.fixture(scope="module")
def towers() -> Towers:
    return retrieval.fit(worlds.small(), TrainingConfig(batch_size=8, epochs=2), 5)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    model = UVCAN(worlds.small(), worlds.SMALL_CONFIG)
    model((tf.constant([1]), tf.constant([[1]])))
    rng = np.random.default_rng(3)
    weights = [rng.normal(0, 0.5, w.shape) for w in model.network.weights]
    model.network.set_weights(weights)
    return Catalogue(model)


def exact(catalogue: Catalogue, user: int, among: np.ndarray) -> list[int]:
    scores = catalogue.scores(np.array([user], np.int32))[0]
    return sorted(among, key=lambda video: -scores[video - 1])


@pytest.mark.parametrize("index", [brute_force, streaming])
def test_with_all_videos_as_candidates_the_answer_is_exact(
    towers: Towers, catalogue: Catalogue, index: retrieval.TopK
) -> None:
    stages = TwoStage(towers, index(towers, VIDEOS), catalogue)
    for user in (1, 4, 6):
        every = np.arange(1, VIDEOS + 1)
        assert list(stages.recommend(user, 5)) == exact(catalogue, user, every)[:5]


@pytest.mark.parametrize("index", [brute_force, streaming])
def test_only_what_the_towers_find_is_ranked(
    towers: Towers, catalogue: Catalogue, index: retrieval.TopK
) -> None:
    stages = TwoStage(towers, index(towers, 4), catalogue)
    query = towers.user_vectors(tf.constant([2])).numpy()[0]
    products = towers.every_video().numpy() @ query
    nearest = 1 + np.argsort(-products)[:4]
    assert list(stages.recommend(2, 3)) == exact(catalogue, 2, nearest)[:3]


def test_a_vector_is_the_sum_of_its_facets(towers: Towers) -> None:
    tables = {w.name.split("/")[-1].split(":")[0]: w.numpy() for w in towers.weights}
    users = worlds.small().users.columns
    expected = tables["user_id_embedding"][2] + sum(
        tables[f"{name}_embedding"][column[2]] for name, column in users.items()
    )
    found = towers.user_vectors(tf.constant([2])).numpy()[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_towers_learn_which_colour_likes_which_shade() -> None:
    dataset, unseen, opposite = worlds.checkerboard()
    config = TrainingConfig(learning_rate=0.02, batch_size=256, epochs=30)
    towers = retrieval.fit(dataset, config, 5)
    products = [
        np.sum(towers.user_vectors(p.user) * towers.video_vectors(p.video), axis=1)
        for p in (unseen, opposite)
    ]
    assert np.mean(products[0][:, None] > products[1][None]) > 0.95


def test_recall_is_the_share_found_anywhere_in_the_row() -> None:
    exact, found = np.array([[3, 5], [2, 7]]), np.array([[5, 1, 9], [7, 2, 4]])
    np.testing.assert_array_equal(retrieval.recall(exact, found), [0.5, 1.0])
