"""The wire types come without TensorFlow, and get along with it."""

import subprocess
import sys

import pytest

_AFTER = """
import serving.wire.protos as protos, sys
assert "tensorflow" not in sys.modules, "the stand-in was left behind"
import tensorflow as tf
assert tf.train.Example is protos.example_pb2.Example
request = protos.predict_pb2.PredictRequest()
request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.5]))
assert tf.make_ndarray(request.inputs["x"]).tolist() == [1.5]
"""
_BEFORE = """
import serving, tensorflow as tf
import serving.wire.protos as protos
assert tf.train.Example is protos.example_pb2.Example
assert sys.modules["tensorflow"] is tf
""".replace("import serving, ", "import sys, serving, ")
_CLIENT = """
import sys
import serving.client.client, serving.cli
heavy = {"tensorflow", "tfx", "apache_beam", "pandas", "pyarrow"} & set(sys.modules)
assert not heavy, heavy
"""


def _run(code: str) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_the_client_starts_without_tensorflow() -> None:
    _run(_CLIENT)


@pytest.mark.slow
def test_tensorflow_can_be_imported_after_the_wire_types() -> None:
    _run(_AFTER)


@pytest.mark.slow
def test_tensorflow_can_be_imported_before_the_wire_types() -> None:
    _run(_BEFORE)
