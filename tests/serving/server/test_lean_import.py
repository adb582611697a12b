"""A process that only serves has TensorFlow, and none of what builds models."""

import subprocess
import sys

_SERVES = """
import sys
from serving.server.lean_import import import_tensorflow
import_tensorflow()
from serving.server.app import Server
print(*(name for name in ("tf_keras", "h5py", "scipy", "pandas", "tensorflow")
        if name in sys.modules))
import tensorflow as tf
print(tf.keras.layers.Dense(2)(tf.ones([3, 5])).shape)
"""


def test_serving_imports_no_keras_until_somebody_asks() -> None:
    command = [sys.executable, "-W", "ignore", "-c", _SERVES]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["tensorflow", "(3, 2)"]
