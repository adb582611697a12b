"""What differs between protobuf 3.20 and 6 means the same to the rest of the code."""

from __future__ import annotations

import json

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    json_format,
    struct_pb2,
    type_pb2,
)

from uvcan_tf.compat import WITH_DEFAULTS, message_class


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


def test_a_declared_message_can_be_filled_and_read_back() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="a.proto", package="a")
    outer = file.message_type.add(name="Outer")
    outer.field.add(name="inner", number=1, label=3, type=11, type_name=".a.Inner")
    file.message_type.add(name="Inner").field.add(name="n", number=7, label=1, type=3)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)

    cls = message_class(pool.FindMessageTypeByName("a.Outer"))
    message = cls()
    message.inner.add(n=11)
    # Field 1, length 2; field 7 as a variable-length integer, 11.
    assert message.SerializeToString() == bytes([0x0A, 2, 7 << 3, 11])
    assert cls.FromString(message.SerializeToString()).inner[0].n == 11
