"""The errors that training lowers, against hand values."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from uvcan_tf.model.losses import cross_entropies

LOGITS = tf.constant([[0.0, np.log(3.0), np.log(4.0)]])


def test_each_video_is_judged_on_its_own() -> None:
    expected = [[np.log(2), np.log(4), np.log(5)]]
    np.testing.assert_allclose(
        cross_entropies(LOGITS, softmax=False), expected, rtol=1e-6
    )


def test_the_observed_one_is_to_be_chosen_among_all() -> None:
    np.testing.assert_allclose(
        cross_entropies(LOGITS, softmax=True), [[np.log(8)]], rtol=1e-6
    )
