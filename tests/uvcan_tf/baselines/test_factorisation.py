"""Factorisations rank as the library's own model does, and learn two communities."""

from __future__ import annotations

import dataclasses
import warnings

import implicit.utils
import numpy as np
import pytest
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from scipy.sparse import csr_matrix

from tests.uvcan_tf.baselines.communities import (
    USERS,
    VIDEOS,
    assert_knows_nothing_of_cold_start_users,
    assert_learns,
    communities,
)
from uvcan_tf.baselines.factorisation import ALS, BPR, ALSSettings, BPRSettings
from uvcan_tf.config import ConfigError
from uvcan_tf.data.dataset import Dataset

WORLD = communities()
TRAINED = np.arange(1, USERS + 1, dtype=np.int32)
ALS_SETTINGS = ALSSettings(factors=2, alpha=7.0, iterations=11, seed=3)
BPR_SETTINGS = BPRSettings(factors=5, learning_rate=0.02, seed=3)


def matrix(world: Dataset) -> csr_matrix:
    dense = np.zeros([USERS + 1, VIDEOS + 1], np.float32)
    dense[world.train.user - 1, world.train.video - 1] = 1.0
    return csr_matrix(dense)


def renamed(settings: ALSSettings | BPRSettings) -> dict[str, float]:
    """The settings under the library's names."""
    names = {"seed": "random_state", "threads": "num_threads"}
    values = dataclasses.asdict(settings)
    return {names.get(name, name): value for name, value in values.items()}


def assert_ranks_as(
    model: AlternatingLeastSquares | BayesianPersonalizedRanking, scores: np.ndarray
) -> None:
    likes = matrix(WORLD)
    model.fit(likes, show_progress=False)
    users = TRAINED - 1
    expected = model.user_factors[users] @ model.item_factors.T
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)
    _, best = model.recommend(
        users, likes[users], N=VIDEOS + 1, filter_already_liked_items=False
    )
    np.testing.assert_allclose(-np.sort(-scores, axis=1), best, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:OpenBLAS")  # of the model made here
def test_als_ranks_as_its_own_factors() -> None:
    model = AlternatingLeastSquares(use_gpu=False, **renamed(ALS_SETTINGS))
    assert_ranks_as(model, ALS(WORLD, ALS_SETTINGS).scores(TRAINED))


def test_bpr_ranks_as_its_own_factors() -> None:
    model = BayesianPersonalizedRanking(use_gpu=False, **renamed(BPR_SETTINGS))
    assert_ranks_as(model, BPR(WORLD, BPR_SETTINGS).scores(TRAINED))


def test_als_learns_two_communities() -> None:
    als = ALS(WORLD, ALS_SETTINGS)
    assert_learns(als, WORLD)
    assert_knows_nothing_of_cold_start_users(als)


def test_bpr_learns_two_communities() -> None:
    bpr = BPR(WORLD, BPR_SETTINGS)
    assert_learns(bpr, WORLD)
    assert_knows_nothing_of_cold_start_users(bpr)


@pytest.mark.parametrize(
    ("method", "settings"), [(ALS, ALS_SETTINGS), (BPR, BPR_SETTINGS)]
)
def test_the_seed_decides(
    method: type[ALS | BPR], settings: ALSSettings | BPRSettings
) -> None:
    first, again, other = (
        method(WORLD, dataclasses.replace(settings, seed=seed)).scores(TRAINED)
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_fitting_is_silent(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(implicit.utils, "_checked_blas_config", False)  # it warns once
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ALS(WORLD, ALS_SETTINGS)
        BPR(WORLD, BPR_SETTINGS)
    assert capfd.readouterr() == ("", "")


def test_settings_out_of_range_say_what_is_expected() -> None:
    with pytest.raises(ConfigError, match="`factors` should be a positive int"):
        ALSSettings(factors=0)
    with pytest.raises(ConfigError, match="`alpha` should be a positive number"):
        ALSSettings(alpha=0.0)
    with pytest.raises(ConfigError, match="`iterations` should be a positive int"):
        BPRSettings(iterations=1.5)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ConfigError, match="`regularization` should be .* least 0"):
        BPRSettings(regularization=-0.1)
