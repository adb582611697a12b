"""The network gives what Keras predicts before its layer of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uvcan_tf.visual.network import WIDTH, network
from uvcan_tf.visual.weights import read_weights

pytestmark = pytest.mark.slow


def test_activations_are_those_of_keras(model: Any, weights: Path) -> None:
    """Of pictures in [0, 255], which the network wants in [-1, 1]."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (3, 299, 299, 3), dtype=np.uint8)
    images[1] //= 4
    expected = model(images / np.float32(127.5) - 1, training=False).numpy()
    found = network(read_weights(weights))(images)
    assert found.shape == (3, WIDTH)
    assert found.min() >= 0 and found.std(axis=0).mean() > 0.01
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
