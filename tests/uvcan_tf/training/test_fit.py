"""Fitting: the best epoch wins, a killed run goes on, and bad runs say so."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests import worlds
from tests.uvcan_tf.baselines.communities import communities
from uvcan_tf.config import Config, EvaluationConfig, IALSSettings
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, Pairs
from uvcan_tf.errors import TrainingError
from uvcan_tf.training.fit import MONITOR, fit
from uvcan_tf.training.validation import tied_share


def config(**settings: Any) -> Config:
    """Settings under which the best epoch is neither the first nor the last."""
    settings = {"learning_rate": 0.05, "epochs": 12, "patience": 2} | settings
    training = dataclasses.replace(
        worlds.SMALL_CONFIG.training, validation_fraction=0.3, **settings
    )
    return dataclasses.replace(worlds.SMALL_CONFIG, training=training)


def beside_a_prior() -> Config:
    """A network that has hardly learned, so that its prior counts."""
    hardly = config(epochs=2, learning_rate=1e-5)
    return dataclasses.replace(hardly, prior=IALSSettings(factors=3))


class Run(NamedTuple):
    """The weights that a run returned and the sentences it reported."""

    weights: list[Any]
    told: list[str]

    @property
    def epochs(self) -> list[int]:
        return [int(n) for s in self.told for n in re.findall(r"^Epoch (\d+):", s)]


def run(config: Config, folder: Path | None = None) -> Run:
    told: list[str] = []
    model = fit(worlds.small(), config, folder, told.append)
    return Run(model.network.get_weights(), told)


def assert_same(one: Run, other: Run) -> None:
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def stopped(folder: Path) -> Run:
    return run(config(), folder)


def best_epoch(run: Run) -> int:
    return max(n for n, s in zip(run.epochs, run.told, strict=True) if "best" in s)


@pytest.mark.slow
def test_training_stops_once_patience_runs_out(stopped: Run) -> None:
    assert stopped.epochs == list(range(1, best_epoch(stopped) + 2 + 1))
    assert 1 < best_epoch(stopped) < 10


@pytest.mark.slow
def test_the_weights_of_the_best_epoch_are_returned(stopped: Run) -> None:
    assert_same(stopped, run(config(epochs=best_epoch(stopped))))


@pytest.mark.slow
@pytest.mark.parametrize("decay", [0.0, 0.7])
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    tmp_path: Path, decay: float
) -> None:
    whole = run(config(average_decay=decay))
    first = run(config(average_decay=decay, epochs=2), tmp_path)
    second = run(config(average_decay=decay), tmp_path)
    assert second.told[0] == "Training resumes after epoch 2."
    assert first.told + second.told[1:] == whole.told
    assert_same(second, whole)


@pytest.mark.slow
def test_a_finished_run_is_not_trained_again(stopped: Run, folder: Path) -> None:
    again = run(config(), folder)
    assert again.epochs == []
    assert_same(again, stopped)


@pytest.mark.slow
def test_a_run_leaves_its_figures_and_a_log(stopped: Run, folder: Path) -> None:
    content = json.loads((folder / "training.json").read_text())
    assert content["epochs"] == stopped.epochs[-1]
    best = next(s for s in stopped.told if s.startswith(f"Epoch {best_epoch(stopped)}"))
    assert f"NDCG@100 {content['validation_ndcg@100']:.4f}" in best
    assert list((folder / "logs").rglob("events.out.tfevents*"))


@pytest.mark.slow
def test_a_run_tells_how_its_prior_was_weighed(tmp_path: Path) -> None:
    over = beside_a_prior()
    model = fit(communities(), over, tmp_path)
    found = json.loads((tmp_path / "training.json").read_text())
    of_prior = found["prior"]
    assert found[MONITOR] == of_prior[MONITOR]
    assert of_prior["weight"] == model.tables.prior.weight > 0


@pytest.mark.slow
@pytest.mark.parametrize("split", ["time", "last"])
def test_what_was_skipped_while_validation_pairs_were_liked_ranks_last(
    split: str,
) -> None:
    """Training does not know it, and what is trained does."""
    world = worlds.small()
    pairs = len(world.train)
    time = np.arange(pairs, dtype=np.int64)
    timed = dataclasses.replace(world.train, time=time)
    users = np.unique(world.train.user)
    liked = world.train.by_user(world.users.size)
    videos = np.arange(1, world.videos.size + 1, dtype=np.int32)
    skipped = np.array([np.setdiff1d(videos, liked.of(int(u)))[0] for u in users])
    shown = Pairs(users, skipped, np.full(len(users), pairs, np.int64))  # afterwards
    world = dataclasses.replace(world, train=timed, impressions=shown)
    evaluation = EvaluationConfig(split=split, skipped_impressions_last=True)
    model = fit(world, dataclasses.replace(config(epochs=1), evaluation=evaluation))
    scores = model.scorer().scores(users)
    np.testing.assert_array_equal(scores.argmin(axis=1), skipped - 1)


@pytest.mark.slow
def test_a_finished_run_has_its_prior_count_as_before(tmp_path: Path) -> None:
    over = beside_a_prior()
    models = [fit(communities(), over, tmp_path) for _ in range(2)]
    assert models[0].tables.prior.weight == models[1].tables.prior.weight > 0
    users = np.arange(1, 6, dtype=np.int32)
    scores = [model.scorer().scores(users) for model in models]
    np.testing.assert_array_equal(*scores)


@pytest.mark.slow
def test_only_what_is_measured_is_set_apart_from_training() -> None:
    whole = worlds.small()
    model = fit(whole, config(epochs=1, validation_users=1))
    trained, every = (
        set(zip(pairs.user.tolist(), pairs.video.tolist(), strict=True))
        for pairs in (model.dataset.train, whole.train)
    )
    apart = every - trained
    assert trained < every
    assert {user for user, _ in apart} == set(model.dataset.test.user.tolist())
    assert len({user for user, _ in apart}) == 1


def test_without_pairs_there_is_nothing_to_learn() -> None:
    dataset = dataclasses.replace(worlds.small(), train=NO_PAIRS)
    with pytest.raises(TrainingError, match="at least one observed pair"):
        fit(dataset, config())


def with_nan(dataset: Dataset) -> Dataset:
    """The same world, where a video's look holds what is not a number."""
    columns = dict(dataset.videos.columns)
    columns["look"] = np.full_like(columns["look"], np.nan)
    videos = dataclasses.replace(dataset.videos, columns=columns)
    return dataclasses.replace(dataset, videos=videos)


@pytest.mark.slow
def test_a_loss_that_is_not_a_number_stops_training() -> None:
    with pytest.raises(TrainingError, match="Received: nan. Lower `training.learning"):
        fit(with_nan(worlds.small()), config())


@pytest.mark.slow
def test_a_collapsed_network_is_reported() -> None:
    told = run(config(learning_rate=10.0, epochs=1)).told
    assert re.match(r"The network has collapsed: 82% of the catalogue is tied", told[1])


@pytest.mark.parametrize(
    ("scores", "share"),
    [
        ([[1, 2, 3, 4]], 0.0),
        ([[1, 1, 3, 4]], 0.25),
        ([[1, 2, 3, 4], [5, 5, 5, 4]], 0.5),
        ([[0, 0, 0, 0]], 0.75),
    ],
)
def test_the_tied_share_counts_the_largest_tie(
    scores: list[list[float]], share: float
) -> None:
    assert tied_share(np.array(scores)) == share
