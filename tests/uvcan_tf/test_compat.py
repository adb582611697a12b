"""What differs between both stacks means the same to the rest of the code."""

from __future__ import annotations

import json

import pytest
from google.protobuf import (
    json_format,
    struct_pb2,
    type_pb2,
)

from uvcan_tf.compat import WITH_DEFAULTS, of_every_python


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


@pytest.mark.parametrize(
    ("text", "comma", "end", "message"),
    [
        ('{"a": 1,}', 7, 8, "Expecting property name enclosed in double quotes"),
        ('{"a": [1 , \n]}', 9, 12, "Expecting value"),
    ],
)
def test_a_comma_before_an_end_is_told_alike(
    text: str, comma: int, end: int, message: str
) -> None:
    """Once with the words of this Python, once with those of 3.13."""
    with pytest.raises(json.JSONDecodeError) as raised:
        json.loads(text)
    kind = "object" if end == 8 else "array"
    newer = f"Illegal trailing comma before end of {kind}"
    for error in (raised.value, json.JSONDecodeError(newer, text, comma)):
        found = of_every_python(error)
        assert (found.msg, found.pos) == (message, end)
