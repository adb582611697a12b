"""How the network's weights begin."""

from __future__ import annotations

import tensorflow as tf


def gaussian(stddev: float, seed: int) -> tf.keras.initializers.Initializer:
    """N(0, stddev), section 5.4; the seed makes each weight's draw repeatable."""
    return tf.keras.initializers.RandomNormal(0.0, stddev, seed=seed)
