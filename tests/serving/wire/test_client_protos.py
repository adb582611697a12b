"""The client's own declarations say on the wire what TensorFlow's say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto

from serving.client import connection
from serving.wire import client_pb2, protos, services

_ENUM_AS_INT = {FieldDescriptor.TYPE_ENUM: FieldDescriptor.TYPE_INT32}
_PAIRS = [
    (client_pb2.Example, protos.example_pb2.Example),
    (client_pb2.PredictRequest, protos.predict_pb2.PredictRequest),
    (client_pb2.PredictResponse, protos.predict_pb2.PredictResponse),
    (
        client_pb2.GetModelStatusRequest,
        protos.get_model_status_pb2.GetModelStatusRequest,
    ),
    (
        client_pb2.GetModelStatusResponse,
        protos.get_model_status_pb2.GetModelStatusResponse,
    ),
]


def _differences(ours: Any, theirs: Any) -> list[str]:
    """Fields of ours that are not the same on the wire, messages inside included."""
    found, expected = [], _wire(theirs)
    for name, wire in _wire(ours).items():
        if wire != expected.get(name):
            found.append(f"{ours.full_name}.{name}")
        elif inside := ours.fields_by_name[name].message_type:
            found += _differences(inside, theirs.fields_by_name[name].message_type)
    return found


def _wire(message: Any) -> dict[str, tuple[int, int, int]]:
    """Number, type and label of the fields, as a file of declarations has them."""
    declared = DescriptorProto()
    message.CopyToProto(declared)
    return {
        field.name: (
            field.number,
            _ENUM_AS_INT.get(field.type, field.type),
            field.label,
        )
        for field in declared.field
    }


@pytest.mark.parametrize(("ours", "theirs"), _PAIRS, ids=lambda kind: kind.__name__)
def test_every_field_has_tensorflows_number_and_type(ours: Any, theirs: Any) -> None:
    assert _differences(ours.DESCRIPTOR, theirs.DESCRIPTOR) == []


def test_every_value_of_an_enum_is_tensorflows() -> None:
    status = protos.get_model_status_pb2.ModelVersionStatus
    for name, number in client_pb2.DataType.items():
        assert protos.types_pb2.DataType.Value(name) == number
    for name, number in client_pb2.ModelVersionStatus.State.items():
        assert status.State.Value(name) == number


def test_bytes_of_one_are_read_by_the_other() -> None:
    ours = client_pb2.PredictRequest()
    ours.model_spec.name = "uvcan"
    ours.inputs["x"].dtype = client_pb2.DT_FLOAT
    ours.inputs["x"].float_val.extend(np.arange(3.0))
    theirs = protos.predict_pb2.PredictRequest.FromString(ours.SerializeToString())
    assert list(theirs.inputs["x"].float_val) == [0.0, 1.0, 2.0]
    back = client_pb2.PredictRequest.FromString(theirs.SerializeToString())
    assert back == ours


def test_the_client_calls_the_paths_of_the_services() -> None:
    assert connection.PREDICT == services.METHODS[services.PREDICT].path
    status = services.METHODS[services.GET_MODEL_STATUS].path
    assert connection.GET_MODEL_STATUS == status
