"""JSON to tensors and back, by a signature's types (contract, section 9)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from serving.server.status import invalid_argument
from serving.wire import tensors
from serving.wire.protos import types_pb2

_TYPES: Final = {
    types_pb2.DT_FLOAT: (np.float32, (int, float)),
    types_pb2.DT_DOUBLE: (np.float64, (int, float)),
    types_pb2.DT_INT8: (np.int8, (int,)),
    types_pb2.DT_INT16: (np.int16, (int,)),
    types_pb2.DT_INT32: (np.int32, (int,)),
    types_pb2.DT_INT64: (np.int64, (int,)),
    types_pb2.DT_UINT8: (np.uint8, (int,)),
    types_pb2.DT_UINT32: (np.uint32, (int,)),
    types_pb2.DT_UINT64: (np.uint64, (int,)),
    types_pb2.DT_BOOL: (np.bool_, (bool,)),
    types_pb2.DT_STRING: (object, (str,)),
}


def parse(body: bytes) -> dict[str, Any]:
    """The request's JSON object; NaN and the infinities are accepted."""
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    except (UnicodeDecodeError, RecursionError):
        raise invalid_argument(
            "JSON Parse error: Invalid value. at offset: 0"
        ) from None
    except json.JSONDecodeError as error:
        raise invalid_argument(
            f"JSON Parse error: Invalid value. at offset: {error.pos}"
        ) from None
    if not isinstance(document, dict):
        raise invalid_argument(f"JSON Value: {json.dumps(document)} Is not object")
    return document


def to_array(value: Any, dtype: int) -> tensors.Array:
    """A nested list, or a single value, as a tensor of a type."""
    shape: list[int] = []
    first = value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
    leaves: list[Any] = []
    _collect(value, shape, 0, dtype, leaves)
    kind = _TYPES[dtype][0]
    if kind is object:
        return np.array([*leaves, None], object)[:-1].reshape(shape)
    try:
        return np.array(leaves, kind).reshape(shape)
    except OverflowError:
        raise _type_error(leaves[0], dtype) from None


def to_json(name: str, array: tensors.Array) -> Any:
    """A tensor as nested lists; strings as text unless the name says bytes."""
    if array.ndim > 1:
        return [to_json(name, row) for row in array]
    single = array.dtype == np.float32
    leaves = [_json_leaf(name, value, single) for value in array.reshape(-1).tolist()]
    return leaves if array.ndim else leaves[0]


def _json_leaf(name: str, value: Any, single: bool) -> Any:
    if isinstance(value, bytes):
        if name.endswith("_bytes"):
            return {"b64": base64.b64encode(value).decode()}
        return value.decode(errors="replace")
    if single:
        short = float(f"{value:g}")
        return short if np.float32(short) == value else float(f"{value:.9g}")
    return value


def rows_to_arrays(rows: Any, types: Mapping[str, int]) -> dict[str, tensors.Array]:
    """The `instances` form: one batch entry for each element."""
    if not isinstance(rows, list) or not rows:
        raise invalid_argument(
            "Expecting 'instances' value to be a non-null, non-empty list"
        )
    if not _is_named(rows[0]) and len(types) > 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    if not _is_named(rows[0]):
        rows = [{next(iter(types)): row} for row in rows]
    for index, row in enumerate(rows):
        if not _is_named(row):
            raise invalid_argument(
                f"Expecting object but got list at item {index} of input list"
            )
        if set(row) != set(types):
            raise invalid_argument(
                f"Failed to process element: {index} of 'instances' list. JSON object: "
                f"{json.dumps(row)} keys must be equal to: {','.join(sorted(types))}"
            )
    return {name: _stack(name, rows, types[name]) for name in types}


def columns_to_arrays(
    columns: Any, types: Mapping[str, int]
) -> dict[str, tensors.Array]:
    """The `inputs` form: whole tensors, named unless there is only one."""
    if len(types) == 1 and not _is_named(columns):
        columns = {next(iter(types)): columns}
    if not isinstance(columns, dict):
        raise invalid_argument(
            "inputs is a plain value/list, but expecting an object as multiple input "
            "tensors required as per tensorinfo_map"
        )
    missing = sorted(set(types) - set(columns))
    if missing:
        raise invalid_argument(f"Missing named input: {missing[0]} in 'inputs' object.")
    return {name: to_array(columns[name], dtype) for name, dtype in types.items()}


def rows_from_arrays(outputs: Mapping[str, tensors.Array]) -> list[Any]:
    """The `predictions` of a reply: objects only when there are several outputs."""
    sizes = {name: len(a) if a.ndim else None for name, a in sorted(outputs.items())}
    expected = next(iter(sizes.values()))
    for name, size in sizes.items():
        if size is None:
            raise invalid_argument(f"Tensor name: {name} has no shape information ")
        if size != expected:
            raise invalid_argument(
                f"Tensor name: {name} has inconsistent batch size: {size} expecting: "
                f"{expected}"
            )
    columns = {name: to_json(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        return list(next(iter(columns.values())))
    return [
        {name: column[row] for name, column in columns.items()}
        for row in range(expected or 0)
    ]


def _stack(name: str, rows: Sequence[Mapping[str, Any]], dtype: int) -> tensors.Array:
    arrays = [to_array(row[name], dtype) for row in rows]
    for index, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise invalid_argument(
                f"Failed to process element: {index} key: {name} of 'instances' list. "
                f"Error: INVALID_ARGUMENT: Expecting tensor size: {arrays[0].size} but "
                f"got: {array.size}"
            )
    return np.stack(arrays)


def _collect(
    value: Any, shape: Sequence[int], level: int, dtype: int, leaves: list[Any]
) -> None:
    if isinstance(value, list):
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
        return
    if level != len(shape):
        raise invalid_argument(
            f"JSON Value: {json.dumps(value)} found at incorrect level: {level + 1} in "
            f"the JSON DOM. Expected at level: {len(shape)}"
        )
    leaves.append(_leaf(value, dtype))


def _leaf(value: Any, dtype: int) -> Any:
    if dtype not in _TYPES:
        raise invalid_argument(f"Conversion of JSON Value: {json.dumps(value)} failed")
    if dtype == types_pb2.DT_STRING and _is_base64(value):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except binascii.Error:
            raise invalid_argument("Unable to base64 decode") from None
    accepted = _TYPES[dtype][1]
    wrong_bool = isinstance(value, bool) and bool not in accepted
    if not isinstance(value, accepted) or wrong_bool:
        raise _type_error(value, dtype)
    return value.encode() if isinstance(value, str) else value


def _type_error(value: Any, dtype: int) -> Exception:
    names = {str: "String", bool: "Boolean", dict: "Object", type(None): "Null"}
    expected = types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()
    return invalid_argument(
        f"JSON Value: {json.dumps(value)} Type: {names.get(type(value), 'Number')} is "
        f"not of expected type: {expected}"
    )


def _is_base64(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"b64"}
        and isinstance(value["b64"], str)
    )


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)
