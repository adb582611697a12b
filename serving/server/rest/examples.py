"""The `examples` and `context` of REST's classify and regress."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from serving.server.status import invalid_argument


def fill(target: Any, document: Mapping[str, Any]) -> None:
    """Writes the document's examples into an Input."""
    rows = document.get("examples")
    if "examples" not in document:
        raise invalid_argument(
            "When method is classify, key 'examples' is expected and was not found"
        )
    if not isinstance(rows, list):
        raise invalid_argument("Expecting 'examples' value to be non-null array/list")
    source = target.example_list
    if "context" in document:
        source = target.example_list_with_context
        _fill_example(source.context, document["context"])
    source.SetInParent()
    for row in rows:
        _fill_example(source.examples.add(), row)


def _fill_example(example: Any, row: Any) -> None:
    if not isinstance(row, dict):
        raise invalid_argument(f"Example must be JSON object but got JSON {_kind(row)}")
    for name, value in row.items():
        values = value if isinstance(value, list) else [value]
        _fill_feature(example.features.feature[name], name, values)


def _fill_feature(feature: Any, name: str, values: list[Any]) -> None:
    kinds = {_list_of(name, value) for value in values}
    if len(kinds) > 1:
        raise invalid_argument(f"Unexpected mix of types in list for feature: {name}")
    for kind in kinds:
        target = getattr(feature, kind).value
        target.extend(_bytes(v) if kind == "bytes_list" else v for v in values)


def _list_of(name: str, value: Any) -> str:
    if isinstance(value, (bool, int)):
        return "int64_list"
    if isinstance(value, float):
        return "float_list"
    if isinstance(value, str) or (isinstance(value, dict) and set(value) == {"b64"}):
        return "bytes_list"
    raise invalid_argument(
        f"Unexpected element type {_kind(value)} for feature: {name}: "
        f"{json.dumps(value)}"
    )


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, TypeError):
        raise invalid_argument("Unable to base64 decode") from None


def _kind(value: Any) -> str:
    names = {str: "String", bool: "Boolean", dict: "Object", list: "Array"}
    return names.get(type(value), "Null" if value is None else "Number")
