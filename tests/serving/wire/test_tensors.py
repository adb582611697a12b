"""Tensors on the wire, against TensorFlow's own conversions."""

import numpy as np
import pytest
import tensorflow as tf

from serving.wire import tensors
from serving.wire.protos import tensor_pb2, types_pb2

ARRAYS = [
    np.arange(6, dtype=dtype).reshape(2, 3)
    for dtype in "float32 float64 float16 int8 int16 int32 int64 uint8 uint16 "
    "uint32 uint64 complex64 complex128".split()
] + [
    np.array([[True], [False]]),
    np.array(3.5, np.float32),
    np.array(-7, np.int8),
    np.zeros((0, 5), np.float32),
    np.array([b"a", b"", b"\xff\x00"], object),
    np.array(b"scalar", object),
    np.array([[]], object),
    np.full(1000, np.nan),
]
IDS = [f"{a.dtype}{list(a.shape)}" for a in ARRAYS]


@pytest.mark.parametrize("array", ARRAYS, ids=IDS)
def test_tensorflow_reads_what_is_written(array: np.ndarray) -> None:
    proto = tensors.to_proto(array)
    dtype = tf.dtypes.as_dtype(proto.dtype)
    read = tf.io.parse_tensor(proto.SerializeToString(), dtype).numpy()
    np.testing.assert_array_equal(read, array)
    assert np.shape(read) == array.shape
    assert not proto.tensor_content


@pytest.mark.parametrize("array", ARRAYS, ids=IDS)
def test_what_tensorflow_writes_is_read(array: np.ndarray) -> None:
    dtype = tf.string if array.dtype == object else array.dtype
    read = tensors.to_array(tf.make_tensor_proto(array, dtype, array.shape))
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype and read.shape == array.shape


def _proto(dtype: int, shape: list[int], **fields: object) -> tensor_pb2.TensorProto:
    proto = tensor_pb2.TensorProto(dtype=dtype, **fields)
    proto.tensor_shape.SetInParent()
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


LENIENT = {
    "too few repeat the last": _proto(types_pb2.DT_FLOAT, [5], float_val=[1, 2]),
    "none give zeros": _proto(types_pb2.DT_INT32, [3]),
    "no strings are empty": _proto(types_pb2.DT_STRING, [2]),
    "too many are cut": _proto(types_pb2.DT_INT64, [2], int64_val=[1, 2, 3]),
    "complex come in twos": _proto(
        types_pb2.DT_COMPLEX64, [3], scomplex_val=[1, 2, 3, 4]
    ),
    "strings in content": _proto(
        types_pb2.DT_STRING, [2], tensor_content=b"\x01\x02abc"
    ),
}


@pytest.mark.parametrize("name", LENIENT)
def test_odd_protos_read_as_tensorflow_reads_them(name: str) -> None:
    proto = LENIENT[name]
    dtype = tf.dtypes.as_dtype(proto.dtype)
    expected = tf.io.parse_tensor(proto.SerializeToString(), dtype).numpy()
    np.testing.assert_array_equal(tensors.to_array(proto), expected)


def test_an_unknown_rank_is_a_scalar() -> None:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[4.5])
    proto.tensor_shape.unknown_rank = True
    assert tensors.to_array(proto) == np.float32(4.5)


BROKEN = {
    "no dtype": _proto(0, [1]),
    "a resource": _proto(types_pb2.DT_RESOURCE, [1]),
    "a negative size": _proto(types_pb2.DT_FLOAT, [-1]),
    "short content": _proto(types_pb2.DT_FLOAT, [2], tensor_content=b"123"),
    "lengths cut off": _proto(types_pb2.DT_STRING, [3], tensor_content=b"\x01"),
    "strings cut off": _proto(types_pb2.DT_STRING, [1], tensor_content=b"\x05ab"),
    "more than a message": _proto(types_pb2.DT_FLOAT, [2**40]),
    "many dimensions": _proto(types_pb2.DT_FLOAT, [1] * 200, float_val=[1]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_tensor_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        tensors.to_array(BROKEN[name])


@pytest.mark.parametrize("dtype", ["DT_INT8", "DT_STRING", "DT_FLOAT"])
def test_a_few_bytes_cannot_claim_gigabytes(dtype: str) -> None:
    proto = tensor_pb2.TensorProto(dtype=dtype)
    proto.tensor_shape.dim.add(size=2**25)
    with pytest.raises(ValueError, match="0 values cannot fill the shape"):
        tensors.to_array(proto)
    proto.tensor_shape.dim[0].size = 2**20
    assert tensors.to_array(proto).shape == (2**20,)
