"""JSON to tensors, by a signature's types: the grammar of `instances` and `inputs`."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from serving.server.rest.document import format_error, kind_of, quoted
from serving.server.status import Code, StatusError, invalid_argument
from serving.wire import tensors
from serving.wire.protos import types_pb2

_WHOLE: Final = {  # how a value is stored first, and what it may be
    types_pb2.DT_INT8: (np.int8, -(2**31), 2**31),
    types_pb2.DT_INT16: (np.int16, -(2**31), 2**31),
    types_pb2.DT_INT32: (np.int32, -(2**31), 2**31),
    types_pb2.DT_UINT8: (np.uint8, -(2**31), 2**31),
    types_pb2.DT_INT64: (np.int64, -(2**63), 2**63),
    types_pb2.DT_UINT32: (np.uint32, 0, 2**32),
    types_pb2.DT_UINT64: (np.uint64, 0, 2**64),
}
_DECIMAL: Final = {  # the largest whole number, and the largest number
    types_pb2.DT_FLOAT: (np.float32, 2**24 - 1, float(np.finfo(np.float32).max)),
    types_pb2.DT_DOUBLE: (np.float64, 2**53 - 1, math.inf),
}
_MOST_DIMENSIONS: Final = 32  # of a numpy array


def to_array(value: Any, dtype: int) -> tensors.Array:
    """A nested list, or a single value, as a tensor of a type."""
    shape = _shape(value)
    leaves: list[Any] = []
    _collect(value, shape, 0, dtype, leaves)
    if dtype == types_pb2.DT_STRING:
        return np.array([*leaves, None], object)[:-1].reshape(shape)
    if dtype in _WHOLE:
        read = np.uint64 if dtype == types_pb2.DT_UINT64 else np.int64
        return np.array(leaves, read).astype(_WHOLE[dtype][0]).reshape(shape)
    kind = np.bool_ if dtype == types_pb2.DT_BOOL else _DECIMAL[dtype][0]
    return np.array(leaves, kind).reshape(shape)


def rows_to_arrays(
    document: Mapping[str, Any], types: Mapping[str, int]
) -> dict[str, tensors.Array]:
    """The `instances` form: one batch entry for each element."""
    rows = document["instances"]
    if not isinstance(rows, list):
        raise format_error(document, "Expecting 'instances' to be an list/array")
    if not rows:
        raise format_error(document, "No values in 'instances' array")
    if not isinstance(rows[0], dict) and len(types) > 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    named = _is_named(rows[0])
    found: dict[str, list[tensors.Array]] = {name: [] for name in types}
    for index, row in enumerate(rows):
        if named != _is_named(row):
            expected, got = ("object", "list") if named else ("value/list", "object")
            raise invalid_argument(
                f"Expecting {expected} but got {got} at item {index} of input list"
            )
        if not named:
            _add(found, next(iter(types)), row, types, f"{index}")
            continue
        for name, value in row.items():
            _add(found, name, value, types, f"{index} key: {name}")
        if set(row) != set(types):
            raise invalid_argument(
                f"Failed to process element: {index} of 'instances' list. JSON object: "
                f"{quoted(row)} keys must be equal to: {','.join(sorted(types))}"
            )
    return {name: np.stack(arrays) for name, arrays in found.items()}


def columns_to_arrays(
    document: Mapping[str, Any], types: Mapping[str, int]
) -> dict[str, tensors.Array]:
    """The `inputs` form: whole tensors, named unless there is only one."""
    columns = document["inputs"]
    if not _is_named(columns):
        if len(types) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        columns = {next(iter(types)): columns}
    found: dict[str, tensors.Array] = {}
    for name, dtype in types.items():
        if name not in columns:
            raise invalid_argument(f"Missing named input: {name} in 'inputs' object.")
        found[name] = to_array(columns[name], dtype)
    return found


def decoded(value: Mapping[str, str]) -> bytes:
    """The bytes of {"b64": ...}; padding may be left out, white space is skipped.

    >>> decoded({"b64": "YW I"})
    b'ab'
    """
    packed = re.sub(r"\s", "", value["b64"])
    core = packed.rstrip("=.")
    padding = len(packed) - len(core)
    if not padding or len(packed) % 4 == 0 and padding <= 2:
        try:
            return base64.b64decode(core + "=" * (-len(core) % 4), validate=True)
        except (binascii.Error, ValueError):  # the latter: not ASCII
            pass
    raise invalid_argument("Unable to base64 decode")


def is_base64(value: Any) -> bool:
    """Whether a value is an object with the one key `b64` and a string."""
    if not isinstance(value, dict) or set(value) != {"b64"}:
        return False
    return isinstance(value["b64"], str)


def check_lossless(value: float, dtype: int) -> None:
    """Refuses a number that the type cannot hold."""
    _, whole, largest = _DECIMAL[dtype]
    most = whole if isinstance(value, int) else largest
    if math.isfinite(value) and abs(value) > most:
        name = types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()
        raise invalid_argument(
            f"Cannot convert JSON value: {quoted(value)} to {name} without loss of "
            "precision."
        )


def _add(
    found: dict[str, list[tensors.Array]],
    name: str,
    value: Any,
    types: Mapping[str, int],
    where: str,
) -> None:
    try:
        if name not in types:
            raise invalid_argument(f"JSON object: does not have named input: {name}")
        array = to_array(value, types[name])
        _check_same(array, found[name][0] if found[name] else array)
    except StatusError as error:
        raise invalid_argument(
            f"Failed to process element: {where} of 'instances' list. Error: "
            f"{error.code.name}: {error.message}"
        ) from None
    found[name].append(array)


def _check_same(array: tensors.Array, first: tensors.Array) -> None:
    if array.size != first.size:
        raise invalid_argument(
            f"Expecting tensor size: {first.size} but got: {array.size}"
        )
    if array.shape != first.shape:
        one, other = ("[" + ",".join(map(str, a.shape)) + "]" for a in (first, array))
        raise invalid_argument(f"Expecting shape {one} but got: {other}")


def _shape(value: Any) -> list[int]:
    """The lengths of a list, of its first element, and so on."""
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    if len(shape) > _MOST_DIMENSIONS:
        raise invalid_argument(
            f"Expecting at most {_MOST_DIMENSIONS} dimensions but got: {len(shape)}"
        )
    return shape


def _collect(
    value: Any, shape: Sequence[int], level: int, dtype: int, leaves: list[Any]
) -> None:
    """Adds the values of a list, in order; refuses one that is not a full grid."""
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid_argument(
                f"JSON Value: {quoted(value)} found at incorrect level: {level + 1} in "
                f"the JSON DOM. Expected at level: {len(shape)}"
            )
        leaves.append(_leaf(value, dtype))
        return
    if level >= len(shape):
        raise invalid_argument(
            f"Encountered list at unexpected level: {level} expected < {len(shape)}"
        )
    if len(value) != shape[level]:
        raise invalid_argument(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for element in value:
        _collect(element, shape, level + 1, dtype, leaves)


def _leaf(value: Any, dtype: int) -> Any:
    kind = type(value)  # a bool is an int, too
    if dtype == types_pb2.DT_STRING:
        if kind is str:
            return value.encode("utf-8", "surrogateescape")
        if kind is dict and not is_base64(value):
            raise format_error(value, "not formatted correctly for base64 data")
        if kind is dict:
            return decoded(value)
    elif dtype in _DECIMAL and kind in (int, float):
        check_lossless(value, dtype)
        return value
    elif dtype in _WHOLE and kind is int:
        _, least, beyond = _WHOLE[dtype]
        if least <= value < beyond:
            return value
    elif dtype == types_pb2.DT_BOOL and kind is bool:
        return value
    name = types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()
    known = dtype in _DECIMAL or dtype in _WHOLE
    if kind is dict or known or dtype in (types_pb2.DT_BOOL, types_pb2.DT_STRING):
        raise format_error(
            value, f"Type: {kind_of(value)} is not of expected type: {name}"
        )
    raise StatusError(
        Code.UNIMPLEMENTED, f"Conversion of JSON Value: {quoted(value)} to type: {name}"
    )


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)
