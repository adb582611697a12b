"""What is measured and kept is the average; what trains is not."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from uvcan_tf.training.averaging import Averaging


def epochs_of(decay: float, trained: list[float]) -> tuple[list[float], list[float]]:
    """What training begins each epoch with, and what stands in the weight after it."""
    weight = tf.Variable([0.5])
    averaging = Averaging([weight], decay)
    begun, measured = [], []
    for epoch, value in enumerate(trained):
        averaging.on_epoch_begin(epoch)
        begun.append(float(weight[0]))
        weight.assign([value])
        averaging.on_epoch_end(epoch)
        measured.append(float(weight[0]))
    return begun, measured


def test_training_goes_on_with_its_own_weights_and_the_average_is_measured() -> None:
    begun, measured = epochs_of(0.75, [4.0, 8.0, 3.0, 1.0, 9.0])
    assert begun == [0.5, 4.0, 8.0, 3.0, 1.0]
    # The plain mean of 4, 8, 3 and 1 first, then a quarter of the newest.
    expected = [4.0, 6.0, 5.0, 4.0, 4 + (9 - 4) / 4]
    np.testing.assert_allclose(measured, expected, rtol=1e-6)


def test_without_an_average_nothing_is_kept_beside_the_weights() -> None:
    assert Averaging([tf.Variable([0.5])], 0.0).other == []
    assert epochs_of(0.0, [4.0, 8.0]) == ([0.5, 4.0], [4.0, 8.0])
