"""The Tuner's search on a tiny world, by keras_tuner itself."""

from pathlib import Path

import pytest

from tests.tfx_pipeline.worlds import FEATURES, write_world
from tfx_pipeline import tuning
from uvcan_tf import presets
from uvcan_tf import search_spaces as spaces
from uvcan_tf.config import Config, EvaluationConfig, ModelConfig, TrainingConfig
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.tables import read_tables


@pytest.mark.parametrize(
    ("preset", "expected"),
    [(presets.paper(), spaces.NEURAL), (presets.best(), spaces.BEST)],
)
def test_the_search_space_is_that_of_the_experiments(
    preset: Config, expected: spaces.Space
) -> None:
    space = {c.name: tuple(c.values) for c in tuning.search_space(preset).space}
    assert space == expected


@pytest.mark.slow
def test_the_best_of_two_trials_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {"training.learning_rate": (1e-8, 0.03)}
    monkeypatch.setattr(spaces, "NEURAL", rates)
    monkeypatch.setattr(tuning, "TRIALS", 2)
    write_world(tmp_path / "data")
    config = Config(
        model=ModelConfig(factors=8, hops=1, initial_stddev=0.3),
        training=TrainingConfig(epochs=5, batch_size=16),
        evaluation=EvaluationConfig(sampled_negatives=20),
    )
    tables = read_tables(tmp_path / "data", FEATURES)
    dataset = encode_tables(tables, FEATURES, config.evaluation)
    tuner = tuning.GridTuner(config, tmp_path / "search")
    tuner.search(dataset=dataset)
    (best,) = tuner.get_best_hyperparameters()
    assert best.values == {"training.learning_rate": 0.03}
