"""What differs between protobuf 3.20 and 6 means the same to the rest of the code."""

from __future__ import annotations

import json

from google.protobuf import (
    json_format,
    struct_pb2,
    type_pb2,
)

from uvcan_tf.compat import WITH_DEFAULTS


def test_zeros_and_empty_lists_are_printed_but_no_absent_message() -> None:
    said = json.loads(json_format.MessageToJson(type_pb2.Type(), **WITH_DEFAULTS))
    assert said["name"] == ""
    assert said["fields"] == []
    assert "sourceContext" not in said


def test_an_unchosen_alternative_is_not_printed() -> None:
    said = json_format.MessageToJson(struct_pb2.ListValue(), **WITH_DEFAULTS)
    assert json.loads(said) == []
    enum = json_format.MessageToJson(type_pb2.EnumValue(number=3), **WITH_DEFAULTS)
    assert json.loads(enum) == {"name": "", "number": 3, "options": []}
