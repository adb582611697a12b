"""What happens after an epoch, each thing on its own."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf.config import TrainingConfig
from uvcan_tf.errors import TrainingError
from uvcan_tf.training.callbacks import MONITOR, Curve, LossCheck, Measure, Stop
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.run_state import RunState
from uvcan_tf.training.validation import Measured

TRAINING = dataclasses.replace(worlds.SMALL_CONFIG.training, epochs=3, patience=2)


class Figures(NamedTuple):
    """A validation with given figures."""

    measured: Measured | None

    @property
    def possible(self) -> bool:
        return self.measured is not None

    def measure(self) -> Measured:
        assert self.measured is not None
        return self.measured


def state() -> RunState:
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.build([None, 1])
    return RunState(model)


def measure(measured: Measured | None) -> tuple[dict[str, float], list[str]]:
    """The logs and the sentences after one epoch."""
    said: list[str] = []
    validation: Any = Figures(measured)
    logs = {"loss": 0.25}
    team = Team(TrainingConfig())
    Measure(validation, state(), said.append, team).on_epoch_end(0, logs)
    return logs, said


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_no_number_stops_the_run(loss: float) -> None:
    with pytest.raises(
        TrainingError, match=r"epoch 3 .* Lower `training.learning_rate"
    ):
        LossCheck().on_epoch_end(2, {"loss": loss})
    LossCheck().on_epoch_end(2, {"loss": 0.1})


def test_a_measured_epoch_is_said_and_logged() -> None:
    logs, said = measure(Measured(ndcg=0.125, tied=0.0, hr=0.25, mrr=0.1))
    assert logs[MONITOR] == 0.125
    assert said == [
        "Epoch 1: loss 0.2500, validation NDCG@100 0.1250 (best so far)",
    ]


def test_a_start_that_training_does_not_improve_is_kept() -> None:
    said: list[str] = []
    begun, kept = state(), []
    for ndcg in (0.5, 0.25):
        validation: Any = Figures(Measured(ndcg=ndcg, tied=0.0, hr=0.0, mrr=0.0))
        team = Team(TrainingConfig())
        callback = Measure(validation, begun, said.append, team, trained=True)
        callback.on_train_begin() if not kept else callback.on_epoch_end(0, {"loss": 1})
        kept.append(int(begun.best_epoch))
    assert kept == [0, 0]
    assert said[0] == "Epoch 0: validation NDCG@100 0.5000"
    assert float(begun.best) == 0.5


def test_where_nothing_is_measured_no_figure_is_logged() -> None:
    logs, said = measure(None)
    assert logs == {"loss": 0.25}
    assert said == ["Epoch 1: loss 0.2500, validation NDCG@100 not measured"]


def test_a_network_that_ties_its_catalogue_is_said_to_have_collapsed() -> None:
    _, said = measure(Measured(ndcg=0.125, tied=0.5, hr=0.25, mrr=0.1))
    assert "collapsed: 50% of the catalogue is tied" in said[1]


@pytest.mark.parametrize(
    ("training", "ndcg", "stops"),
    [
        (TRAINING, [0.1], False),
        (TRAINING, [0.1, 0.2, 0.3], True),  # the epochs are over
        (dataclasses.replace(TRAINING, epochs=9), [0.3, 0.2, 0.1], True),  # patience
    ],
)
def test_training_stops_by_epochs_or_by_patience(
    training: TrainingConfig, ndcg: list[float], stops: bool
) -> None:
    assert stopped(training, ndcg) is stops


def test_training_stops_once_the_time_limit_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training = dataclasses.replace(TRAINING, time_limit_s=60.0)
    clock = iter([100.0, 159.0, 200.0, 261.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    assert not stopped(training, [0.1])
    assert stopped(training, [0.1])


def stopped(training: TrainingConfig, ndcg: list[float]) -> bool:
    """Whether a run with these figures stops after the last of them."""
    run = state()
    stop = Stop(run, training, Team(training))
    stop.model = tf.keras.Sequential()
    stop.model.stop_training = False
    for epoch, figure in enumerate(ndcg, start=1):
        run.end_epoch(epoch, figure)
    stop.on_epoch_end(len(ndcg) - 1)
    return bool(stop.model.stop_training)


def test_a_curve_goes_on_where_several_devices_train(tmp_path: Path) -> None:
    file = tmp_path / "curve.json"
    file.write_text(json.dumps([{"epoch": 1}, {"epoch": 2}]))
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        found = state()
        found.end_epoch(1, 0.5)
        assert Curve(file, found).epochs == [{"epoch": 1}]
