"""JSON to tensors, row by row of the rules for each type."""

import math
from typing import Any

import numpy as np
import pytest

from serving.server.rest.values import columns_to_arrays, rows_to_arrays, to_array
from serving.server.status import Code, StatusError
from serving.wire.protos import types_pb2

T = types_pb2


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1, T.DT_FLOAT, np.float32(1)),
        (2**24 - 1, T.DT_FLOAT, np.float32(2**24 - 1)),
        (math.inf, T.DT_FLOAT, np.float32(math.inf)),
        (2**53 - 1, T.DT_DOUBLE, np.float64(2**53 - 1)),
        ([[0.5], [1]], T.DT_DOUBLE, np.array([[0.5], [1]])),
        ([], T.DT_FLOAT, np.zeros(0, np.float32)),
        ([[], []], T.DT_INT64, np.zeros((2, 0), np.int64)),
        (300, T.DT_UINT8, np.uint8(44)),  # int_val, narrowed by the runtime
        (-1, T.DT_UINT8, np.uint8(255)),
        (-(2**31), T.DT_INT32, np.int32(-(2**31))),
        (2**63 - 1, T.DT_INT64, np.int64(2**63 - 1)),
        (2**32 - 1, T.DT_UINT32, np.uint32(2**32 - 1)),
        (2**64 - 1, T.DT_UINT64, np.uint64(2**64 - 1)),
        ([True, False], T.DT_BOOL, np.array([True, False])),
        ("\udcff", T.DT_STRING, np.array(b"\xff", object)),
        ({"b64": "YWI="}, T.DT_STRING, np.array(b"ab", object)),
        ({"b64": "YWI"}, T.DT_STRING, np.array(b"ab", object)),
        ({"b64": "YW\nI."}, T.DT_STRING, np.array(b"ab", object)),
    ],
)
def test_what_a_type_holds_is_converted(value: Any, dtype: int, expected: Any) -> None:
    found = to_array(value, dtype)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (
            "1",
            T.DT_FLOAT,
            'JSON Value: "1" Type: String is not of expected type: float',
        ),
        (True, T.DT_FLOAT, "Type: True is not of expected type: float"),
        (None, T.DT_STRING, "JSON Value: null Type: Null is not of expected type: str"),
        (1, T.DT_BOOL, "JSON Value: 1 Type: Number is not of expected type: bool"),
        (1, T.DT_STRING, "Type: Number is not of expected type: string"),
        (
            1.0,
            T.DT_INT64,
            "JSON Value: 1.0 Type: Number is not of expected type: int64",
        ),
        (2**31, T.DT_INT8, "is not of expected type: int8"),
        (2**63, T.DT_INT64, "is not of expected type: int64"),
        (-1, T.DT_UINT32, "is not of expected type: uint32"),
        (-1, T.DT_UINT64, "is not of expected type: uint64"),
        ({}, T.DT_INT32, "Type: Object is not of expected type: int32"),
        (
            2**24,
            T.DT_FLOAT,
            "Cannot convert JSON value: 16777216 to float without loss",
        ),
        (1e39, T.DT_FLOAT, "Cannot convert JSON value: 1e+39 to float without loss of"),
        (2**53, T.DT_DOUBLE, "to double without loss of precision."),
        ({"a": 1}, T.DT_STRING, "not formatted correctly for base64 data"),
        ({"b64": "?"}, T.DT_STRING, "Unable to base64 decode"),
        ({"b64": "YWI=="}, T.DT_STRING, "Unable to base64 decode"),
        ({"b64": "Y"}, T.DT_STRING, "Unable to base64 decode"),
        ({"b64": "é"}, T.DT_STRING, "Unable to base64 decode"),
        ([1, [2]], T.DT_INT32, "Encountered list at unexpected level: 1 expected < 1"),
        ([[1], 2], T.DT_INT32, "JSON Value: 2 found at incorrect level: 2 in the JSON"),
        ([[1], []], T.DT_INT32, "unexpected size: 0 at level: 1 expected size: 1"),
    ],
)
def test_what_it_cannot_hold_is_refused(value: Any, dtype: int, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        to_array(value, dtype)
    assert caught.value.code == Code.INVALID_ARGUMENT
    assert message in caught.value.message


def test_a_type_that_json_has_not_is_unimplemented() -> None:
    with pytest.raises(StatusError, match="JSON Value: 1 to type: half") as caught:
        to_array(1, T.DT_HALF)
    assert caught.value.code == Code.UNIMPLEMENTED


PAIR = {"a": T.DT_INT32, "b": T.DT_STRING}
ONE = {"a": T.DT_INT32}
FIRST = "Failed to process element: 0"


@pytest.mark.parametrize(
    ("rows", "types", "message"),
    [
        (1, ONE, "Expecting 'instances' to be an list/array"),
        ([], ONE, "No values in 'instances' array"),
        ([1], PAIR, "instances is a plain list, but expecting list of objects"),
        ([{"a": 1}, 2], ONE, "Expecting object but got list at item 1 of input list"),
        ([1, {"a": 1}], ONE, "Expecting value/list but got object at item 1 of input"),
        ([1, [2]], ONE, "element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Exp"),
        ([[1], [1, 2]], ONE, "Expecting tensor size: 1 but got: 2"),
        ([[[1], [2]], [[1, 2]]], ONE, "Expecting shape [2,1] but got: [1,2]"),
        (["x"], ONE, f"{FIRST} of 'instances' list. Error: INVALID_ARGUMENT: JSON Val"),
        ([{"a": "x"}], ONE, f"{FIRST} key: a of 'instances' list. Error: INVALID_ARG"),
        ([{"z": 1}], ONE, "JSON object: does not have named input: z"),
        ([{"a": 1}], PAIR, 'JSON object: {\n    "a": 1\n} keys must be equal to: a,b'),
    ],
)
def test_rows_that_do_not_fit_are_told(rows: Any, types: Any, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        rows_to_arrays({"instances": rows}, types)
    assert message in caught.value.message


def test_rows_and_columns_give_the_same_tensors() -> None:
    rows = {"instances": [{"a": 1, "b": "x"}, {"a": 2, "b": {"b64": "eQ=="}}]}
    columns = {"inputs": {"a": [1, 2], "b": ["x", "y"], "more": None}}
    for found in (rows_to_arrays(rows, PAIR), columns_to_arrays(columns, PAIR)):
        assert found["a"].tolist() == [1, 2]
        assert found["b"].tolist() == [b"x", b"y"]
