"""Chooses Keras 2 before any test module imports TensorFlow."""

import uvcan_tf  # noqa: F401  (sets the switch on import)
