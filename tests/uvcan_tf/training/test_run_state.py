"""Which weights a run keeps, and how long it may still go on."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from tests import worlds
from uvcan_tf.training.run_state import RunState

TRAINING = dataclasses.replace(worlds.SMALL_CONFIG.training, epochs=6, patience=2)


def network() -> tf.keras.Model:
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, use_bias=False)])
    model.build([None, 1])
    return model


def run(*ndcg: float | None) -> tuple[RunState, float]:
    """The state after epochs with these figures, and the weight that was kept.

    The weight of epoch n is n.
    """
    model = network()
    state = RunState(model)
    for epoch, figure in enumerate(ndcg, start=1):
        model.set_weights([np.array([[float(epoch)]])])
        state.end_epoch(epoch, figure)
    state.restore_best()
    return state, float(model.get_weights()[0][0, 0])


def test_the_best_epochs_weights_come_back() -> None:
    state, weight = run(0.2, 0.5, 0.4)
    assert weight == int(state.best_epoch) == 2
    assert float(state.best) == 0.5


def test_a_tie_keeps_the_earlier_epoch() -> None:
    assert run(0.5, 0.5)[1] == 1


def test_an_epoch_of_which_nothing_was_measured_is_kept_as_the_last() -> None:
    state, weight = run(None, None, None)
    assert weight == 3
    assert float(state.best) == -np.inf
    assert state.epochs_left(TRAINING) == 3


def test_a_figure_of_zero_is_measured() -> None:
    assert run(0.0, -0.0)[1] == 1


def test_patience_counts_the_epochs_since_the_best_one() -> None:
    left = [run(*[0.5, 0.4, 0.3][:n])[0].epochs_left(TRAINING) for n in range(4)]
    assert left == [6, 5, 4, 0]


def test_epochs_are_the_limit_where_every_one_is_better() -> None:
    state, _ = run(0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    assert state.epochs_left(TRAINING) == 0
