"""Tensors to JSON: the `predictions` and `outputs` of a reply."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from serving.server.rest.document import decimal
from serving.server.status import invalid_argument
from serving.wire import tensors


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


def columns_from_arrays(outputs: Mapping[str, tensors.Array]) -> Any:
    """The `outputs` of a reply: a bare tensor when there is only one."""
    found = {name: to_json(name, array) for name, array in outputs.items()}
    return found if len(found) > 1 else next(iter(found.values()))


def to_json(name: str, array: tensors.Array) -> Any:
    """A tensor as nested lists; strings as text unless the name says bytes."""
    if array.dtype.kind == "c":
        kind = f"complex{array.dtype.itemsize * 8}"
        raise invalid_argument(f"Failed to write JSON value for tensor type: {kind}")
    if array.dtype.kind == "O":
        return _strings(array, name.endswith("_bytes"))
    if array.dtype == np.float32:
        return _nested(array, lambda value: decimal(value, single=True))
    return array.tolist()


def _strings(array: tensors.Array, as_bytes: bool) -> Any:
    if as_bytes:
        return _nested(array, lambda value: {"b64": base64.b64encode(value).decode()})
    return _nested(array, lambda value: value.decode("utf-8", "surrogateescape"))


def _nested(array: tensors.Array, write: Any) -> Any:
    if array.ndim > 1:
        return [_nested(row, write) for row in array]
    leaves = [write(value) for value in array.reshape(-1).tolist()]
    return leaves if array.ndim else leaves[0]
