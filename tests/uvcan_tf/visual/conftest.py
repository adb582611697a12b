"""One file of random weights for all tests: making the network takes seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from uvcan_tf.visual.network import inception


def randomize(model: Any) -> None:
    """Weights that keep the variance from layer to layer; all different."""
    random = np.random.default_rng(1)
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, tf.keras.layers.Conv2D):
            spread = np.sqrt(2 / np.prod(weights[0].shape[:3]))
            layer.set_weights([random.normal(0, spread, weights[0].shape)])
        elif weights:
            beta, mean = random.normal(0, 0.1, (2, *weights[0].shape))
            layer.set_weights([beta, mean, random.uniform(0.8, 1.2, mean.shape)])


@pytest.fixture(scope="session")
def model() -> Any:
    model = inception()
    randomize(model)
    return model


@pytest.fixture(scope="session")
def weights(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.h5"
    model.save_weights(path)
    return path
