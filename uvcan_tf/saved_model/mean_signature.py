"""A signature that makes a new video's vector of the mean of its activations.

The vector of a video is the mean of its frames' whitened components. As whitening is
linear, it is what whitening makes of the mean.

Shapes: B videos, D activations, L components.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from uvcan_tf.feature_kinds import MEAN
from uvcan_tf.features import Dense, Features
from uvcan_tf.saved_model.optional_inputs import signature_function
from uvcan_tf.visual.pca import Pca


class Projection(tf.Module):
    """Whitens as the vectors beside the training tables were whitened.

    Args:
      pca: of those vectors.
      output: the feature's name, by which an example takes the vector.
    """

    def __init__(self, pca: Pca, output: str) -> None:
        super().__init__()
        self._mean = tf.Variable(pca.mean, trainable=False)  # [D]
        self._projection = tf.Variable(pca.projection, trainable=False)  # [D, L]
        self._output = output
        spec = tf.TensorSpec([None, len(pca.mean)], tf.float32, name=MEAN)
        self.signature = signature_function(self.vectors, [spec])

    def vectors(self, mean: tf.Tensor) -> dict[str, tf.Tensor]:
        """Means of activations [B, D] -> vectors [B, L]."""
        return {self._output: tf.matmul(mean - self._mean, self._projection)}


def projections(pcas: Mapping[str, Pca], features: Features) -> dict[str, Projection]:
    """One of each feature that has a PCA, by the name of its signature."""
    return {
        feature.signature: Projection(pcas[feature.name], feature.name)
        for feature in features.video
        if isinstance(feature, Dense) and feature.name in pcas
    }
