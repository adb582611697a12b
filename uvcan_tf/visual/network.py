"""Inception-v3 up to its last hidden layer.

Shapes: F frames, D = 2,048.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.visual.frames import SIZE, Image
from uvcan_tf.visual.weights import Layers

__all__ = ["WIDTH", "Network", "network"]

#: Length of what the last hidden layer gives.
WIDTH: Final = 2048

Network = Callable[[Image], npt.NDArray[np.float32]]

_IMAGES: Final = tf.TensorSpec([None, SIZE, SIZE, 3], tf.uint8)


def network(layers: Layers) -> Network:
    """Frames uint8 [F, 299, 299, 3] -> activations float32 [F, D], never negative.

    The last layer before the classes is the mean, over the picture, of ReLUs.
    """
    model = inception()
    of_class = _by_class(model)
    for kind, arrays in layers.items():
        for layer, values in zip(of_class[kind], arrays, strict=True):
            layer.set_weights(values)

    @tf.function(input_signature=[_IMAGES], autograph=False)
    def activations(images: tf.Tensor) -> tf.Tensor:
        scaled = tf.cast(images, tf.float32) / 127.5 - 1.0  # [F, 299, 299, 3]
        return model(scaled, training=False)  # [F, D]

    return lambda images: activations(images).numpy()


def inception() -> Any:
    """The network of Keras applications with random weights, without its classes."""
    return tf.keras.applications.InceptionV3(
        include_top=False, weights=None, pooling="avg"
    )


def _by_class(model: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for layer in model.layers:
        found.setdefault(type(layer).__name__, []).append(layer)
    return found
