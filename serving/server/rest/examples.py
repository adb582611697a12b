"""The `examples` and `context` of REST's classify and regress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.server.rest.document import format_error, kind_of
from serving.server.rest.values import check_lossless, decoded, is_base64
from serving.server.status import StatusError, invalid_argument
from serving.wire.protos import types_pb2


def fill(target: Any, document: Mapping[str, Any]) -> None:
    """Writes the document's examples into an Input."""
    source = target.example_list
    if "context" in document:
        source = target.example_list_with_context
        _fill_example(source.context, document["context"])
    if "examples" not in document:
        raise format_error(
            document,
            "When method is classify, key 'examples' is expected and was not found",
        )
    rows = document["examples"]
    if not isinstance(rows, list):
        raise format_error(document, "Expecting 'examples' value to be an list/array")
    if not rows:
        raise format_error(document, "'examples' value is an empty array")
    for row in rows:
        _fill_example(source.examples.add(), row)


def _fill_example(example: Any, row: Any) -> None:
    if not isinstance(row, dict):
        raise invalid_argument(
            f"Example must be JSON object but got JSON {kind_of(row)}"
        )
    for name, value in row.items():
        feature = example.features.feature[name.encode(errors="replace").decode()]
        for one in value if isinstance(value, list) else [value]:
            _add(feature, name, one)


def _add(feature: Any, name: str, value: Any) -> None:
    if isinstance(value, (bool, int)):
        _expect(feature, name, "int64_list")
        if value >= 2**63:
            raise invalid_argument(
                f"Feature: {name} has uint64_t element. Only int64_t is supported."
            )
        feature.int64_list.value.append(value)
    elif isinstance(value, float):
        _expect(feature, name, "float_list")
        check_lossless(value, types_pb2.DT_FLOAT)
        feature.float_list.value.append(value)
    elif isinstance(value, str):
        _expect(feature, name, "bytes_list")
        feature.bytes_list.value.append(value.encode("utf-8", "surrogateescape"))
    elif is_base64(value):
        _expect(feature, name, "bytes_list")
        feature.bytes_list.value.append(decoded(value))
    else:
        raise invalid_argument(
            f"Feature: {name} has element with unexpected JSON type: {kind_of(value)}"
        )


def _expect(feature: Any, name: str, kind: str) -> None:
    found = feature.WhichOneof("kind")
    if found not in (None, kind):
        raise _other_kind(name, found)


def _other_kind(name: str, found: str) -> StatusError:
    return invalid_argument(
        f"Unexpected element type in feature: {name} expecting type: "
        f"{found.removesuffix('_list')}"
    )
