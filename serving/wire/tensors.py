"""TensorProto to numpy and back, as TensorFlow does it, without TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from serving.wire.protos import tensor_pb2, types_pb2

Array = npt.NDArray[Any]

MAX_BYTES: Final = 2**31 - 1  # of one tensor: no message can carry more
MAX_FILLED_BYTES: Final = 2**24  # that a message may claim without carrying them

_FIELDS: Final[dict[int, tuple[np.dtype[Any], str]]] = {
    types_pb2.DT_FLOAT: (np.dtype(np.float32), "float_val"),
    types_pb2.DT_DOUBLE: (np.dtype(np.float64), "double_val"),
    types_pb2.DT_INT8: (np.dtype(np.int8), "int_val"),
    types_pb2.DT_INT16: (np.dtype(np.int16), "int_val"),
    types_pb2.DT_INT32: (np.dtype(np.int32), "int_val"),
    types_pb2.DT_INT64: (np.dtype(np.int64), "int64_val"),
    types_pb2.DT_UINT8: (np.dtype(np.uint8), "int_val"),
    types_pb2.DT_UINT16: (np.dtype(np.uint16), "int_val"),
    types_pb2.DT_UINT32: (np.dtype(np.uint32), "uint32_val"),
    types_pb2.DT_UINT64: (np.dtype(np.uint64), "uint64_val"),
    types_pb2.DT_BOOL: (np.dtype(np.bool_), "bool_val"),
    types_pb2.DT_HALF: (np.dtype(np.float16), "half_val"),
    types_pb2.DT_COMPLEX64: (np.dtype(np.complex64), "scomplex_val"),
    types_pb2.DT_COMPLEX128: (np.dtype(np.complex128), "dcomplex_val"),
    types_pb2.DT_STRING: (np.dtype(object), "string_val"),
}
_ENUMS: Final = {dtype: enum for enum, (dtype, _) in _FIELDS.items()}
_PACKED_TAGS: Final = {types_pb2.DT_FLOAT: b"\x2a", types_pb2.DT_DOUBLE: b"\x32"}


def to_array(proto: tensor_pb2.TensorProto) -> Array:
    """The numpy array that a TensorProto stands for; strings become bytes.

    As lenient as TensorFlow: too few values repeat the last one, none give zeros, too
    many are cut, an unknown rank is a scalar. Unlike TensorFlow, a few bytes cannot
    claim gigabytes: what is filled in is bounded.

    Raises:
      ValueError: dtype unset or not servable, a negative dimension, content of the
        wrong length, or far too few values.
    """
    if proto.dtype not in _FIELDS:
        raise ValueError(f"dtype {proto.dtype} cannot be read.")
    dtype, field = _FIELDS[proto.dtype]
    shape: tuple[int, ...] = ()
    if not proto.tensor_shape.unknown_rank:
        shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    count = math.prod(shape)
    if any(size < 0 for size in shape) or count * dtype.itemsize > MAX_BYTES:
        raise ValueError(f"shape {shape} cannot be read.")
    if proto.tensor_content:
        return _from_content(proto.tensor_content, dtype, count).reshape(shape)
    values = getattr(proto, field)
    if (count - len(values)) * dtype.itemsize > MAX_FILLED_BYTES:
        raise ValueError(f"{len(values)} values cannot fill the shape {shape}.")
    return _from_values(values, dtype, count).reshape(shape)


def to_proto(array: Array) -> tensor_pb2.TensorProto:
    """The TensorProto of an array in typed fields, the way TF Serving replies."""
    proto = tensor_pb2.TensorProto()
    write(array, proto)
    return proto


def write(array: Array, proto: tensor_pb2.TensorProto) -> None:
    """Writes an array into an empty TensorProto, in typed fields."""
    if array.dtype.kind in "US":
        array = encode_strings(array)
    enum = _ENUMS.get(array.dtype)
    if enum is None:
        raise ValueError(f"dtype {array.dtype} cannot be written.")
    proto.dtype = enum
    proto.tensor_shape.SetInParent()
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if enum in _PACKED_TAGS:
        content = np.ascontiguousarray(array).tobytes()
        if content:
            proto.MergeFromString(_PACKED_TAGS[enum] + varint(len(content)) + content)
        return
    flat = array.reshape(-1)
    if array.dtype.kind == "c":
        flat = flat.view(np.float32 if array.dtype.itemsize == 8 else np.float64)
    elif enum == types_pb2.DT_HALF:
        flat = flat.view(np.uint16)
    getattr(proto, _FIELDS[enum][1]).extend(flat.tolist())


def strings(*values: str) -> Array:
    """A vector of UTF-8 strings."""
    return np.array([value.encode() for value in values], dtype=object)


def encode_strings(array: Array) -> Array:
    """Numpy's own string arrays as arrays of bytes objects."""
    encoded = np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array
    return encoded.astype(object)


def joined(arrays: Sequence[Array]) -> Array:
    """Arrays of one type, one after the other."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _from_content(content: bytes, dtype: np.dtype[Any], count: int) -> Array:
    if dtype.kind == "O":
        return np.array([*_split_strings(content, count), None], dtype=object)[:-1]
    if len(content) != count * dtype.itemsize:
        raise ValueError(
            f"tensor_content should have {count * dtype.itemsize} bytes. "
            f"Received: {len(content)}."
        )
    return np.frombuffer(content, dtype)


def _split_strings(content: bytes, count: int) -> list[bytes]:
    """Strings in tensor_content: all lengths as varints, then all bytes."""
    lengths: list[int] = []
    at = length = shift = 0
    while len(lengths) < count:
        if at >= len(content):
            raise ValueError("tensor_content ends within the lengths of its strings.")
        length |= (content[at] & 0x7F) << shift
        shift += 7
        if content[at] < 0x80:
            lengths.append(length)
            length = shift = 0
        at += 1
    if at + sum(lengths) != len(content):
        raise ValueError("tensor_content has not the length its strings say.")
    ends = at + np.cumsum([0, *lengths])
    return [content[start:end] for start, end in zip(ends[:-1], ends[1:], strict=True)]


def _from_values(values: Any, dtype: np.dtype[Any], count: int) -> Array:
    read, wanted = dtype, count
    if dtype.kind == "c":
        read = np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)
        wanted = 2 * count
    elif dtype == np.float16:
        read = np.dtype(np.uint16)
    found = min(len(values), wanted) - (dtype.kind == "c" and len(values) % 2)
    if found <= 0:
        return (
            np.full(count, b"", object) if dtype.kind == "O" else np.zeros(count, dtype)
        )
    if len(values) > found:
        values = values[:found]
    if dtype.kind == "O":
        array = np.empty(found, object)
        array[:] = values
    elif read.kind in "fb" or read.itemsize == 8:
        array = np.fromiter(values, read, found)
    else:
        array = np.fromiter(values, np.int64, found).astype(read)
    array = array.view(dtype)
    if len(array) == count:
        return array
    return np.concatenate([array, np.full(count - len(array), array[-1], dtype)])


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
