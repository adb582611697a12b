"""The Tuner's search on a tiny world."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.tfx_pipeline.worlds import FEATURES, write_world
from tests.uvcan_tf.training.tensorboard.boards import Asked
from tfx_pipeline import tuner
from tfx_pipeline.config import TRIALS
from uvcan_tf import presets
from uvcan_tf import search_spaces as spaces
from uvcan_tf.config import Config, EvaluationConfig, ModelConfig, TrainingConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.tables import read_tables
from uvcan_tf.errors import TrainingError
from uvcan_tf.search import Search
from uvcan_tf.search_spaces import tuned

RATE = "training.learning_rate"
CONFIG = Config(
    model=ModelConfig(factors=8, hops=1, initial_stddev=0.3),
    training=TrainingConfig(epochs=5, batch_size=16, learning_rate=0.03),
    evaluation=EvaluationConfig(sampled_negatives=20),
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("data")
    write_world(folder)
    tables = read_tables(folder, FEATURES)
    return encode_tables(tables, FEATURES, CONFIG.evaluation)


def finished(
    dataset: Dataset, folder: Path, rates: tuple[float, ...], given: float
) -> Search:
    patch = pytest.MonkeyPatch()
    patch.setattr(spaces, "NEURAL", {RATE: rates})
    search = tuner.search(dataset, tuned(CONFIG, {RATE: given}), folder)
    patch.undo()
    search.search_space_summary()  # as TFX's executor does
    search.search()
    search.results_summary()
    return search


@pytest.mark.slow
def test_the_given_config_is_kept_unless_another_is_better(
    dataset: Dataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    search = finished(dataset, tmp_path, (1e-8, 1e-7), given=0.03)
    (best,) = search.get_best_hyperparameters()
    assert json.loads(json.dumps(best.get_config()))["values"] == {RATE: 0.03}
    screen = capfd.readouterr()
    assert screen.out == ""
    assert "\n\n" not in screen.err
    told = [line for line in screen.err.splitlines() if "UVCAN" in line]
    assert "[1/3] UVCAN, the given settings: validation NDCG@100 0." in told[0]
    assert [line.split()[0] for line in told[:-1]] == ["[1/3]", "[2/3]", "[3/3]"]
    assert told[-1] == "  UVCAN: the search keeps the given settings."


@pytest.mark.slow
def test_a_better_trial_wins(dataset: Dataset, tmp_path: Path) -> None:
    search = finished(dataset, tmp_path, (1e-8, 0.03), given=1e-8)
    (best,) = search.get_best_hyperparameters()
    assert best.values == {RATE: 0.03}


def test_without_validation_pairs_there_is_no_search(
    dataset: Dataset, tmp_path: Path
) -> None:
    config = tuned(CONFIG, {"training.validation_fraction": 0.0})
    with pytest.raises(TrainingError, match=r"none; raise `training\.validation"):
        tuner.search(dataset, config, tmp_path)


@pytest.mark.parametrize(
    ("preset", "expected"),
    [(presets.paper(), spaces.NEURAL), (presets.history(), spaces.HISTORY)],
)
def test_the_search_space_is_that_of_the_experiments(
    preset: Config, expected: spaces.Space, dataset: Dataset, tmp_path: Path
) -> None:
    first, *others = points(tuner.search(dataset, preset, tmp_path))
    assert tuned(preset, first) == preset
    for point in others:
        assert all(point[name] in expected[name] for name in expected)


def points(search: Search) -> list[spaces.Values]:
    return [
        search.oracle.populate_space(str(number))["values"]
        for number in range(search.oracle.max_trials)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("ridge", [3.0, 0.0])
def test_a_prior_is_searched_alone_before_the_network(
    ridge: float, dataset: Dataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """And without attributes no pull to them is drawn, which a config refuses."""
    config = tuned(presets.best(), {"prior.attribute_ridge": ridge})
    every = points(tuner.search(dataset, config, tmp_path))
    told = [line for line in capfd.readouterr().err.splitlines() if "prior" in line]
    found = [float(line.split("NDCG@100 ")[1].split()[0]) for line in told]
    assert len(found) == TRIALS
    best = told[int(np.argmax(found))]
    names = spaces.of_prior(config)
    assert len({tuple(point[name] for name in names) for point in every}) == 1
    if found[0] < max(found):
        assert all(f"{name}={every[0][name]}" in best for name in names)
    network = {k: v for k, v in every[0].items() if k not in names}
    assert tuned(config, network) == config
    assert all(tuned(config, point) for point in every)


@pytest.mark.long
def test_twelve_trials_are_twelve_sessions(dataset: Dataset, tmp_path: Path) -> None:
    """Each with a folder of its own under the root, kept after the search."""
    rates = tuple(0.001 * n for n in range(1, TRIALS))
    patch = pytest.MonkeyPatch()
    patch.setattr(spaces, "NEURAL", {RATE: rates})
    first = tuned(CONFIG, {RATE: 0.05, "training.epochs": 1})
    search = tuner.search(dataset, first, tmp_path / "search", tmp_path)
    patch.undo()
    search.search()
    board = Asked(tmp_path / "tensorboard")
    groups = board.sessions()
    assert len(groups) == TRIALS == 12
    found = sorted(group["hparams"][RATE] for group in groups)
    assert found == pytest.approx([*rates, 0.05])
    names = sorted(s["name"] for group in groups for s in group["sessions"])
    assert names == [f"run-1-trial-{n:02d}" for n in range(1, TRIALS + 1)]
    statuses = {s["status"] for group in groups for s in group["sessions"]}
    assert statuses == {"STATUS_SUCCESS"}
