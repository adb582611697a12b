"""Malformed requests never hurt the server."""

import random
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from click.testing import CliRunner

from serving.checks.conformance.suite import all_cases
from serving.checks.fuzz import fuzz, mutate, mutate_fields
from serving.cli import main
from serving.wire import tensors
from serving.wire.protos import predict_pb2, prediction_service_pb2_grpc
from serving.wire.services import METHODS
from tests.serving.conftest import conformance_server


@pytest.fixture(scope="module")
def channel(models: Path) -> Iterator[grpc.Channel]:
    with conformance_server(models) as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as opened:
            yield opened


def test_every_malformed_request_has_a_right_status(channel: grpc.Channel) -> None:
    statuses, wrong = fuzz(channel, count=500, seed=7)
    assert wrong == []
    assert sum(statuses.values()) == 500


def test_an_op_that_quotes_raw_bytes_is_an_invalid_argument(
    channel: grpc.Channel,
) -> None:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "half_plus_two"
    request.model_spec.signature_name = "regress_x_to_y"
    garbage = np.array([b"\n\x0f\xff\xfe\x9b\x12"], object)
    request.inputs["inputs"].CopyFrom(tensors.to_proto(garbage))
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    with pytest.raises(grpc.RpcError, match="Could not parse example input") as caught:
        stub.Predict(request, timeout=5)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_changed_fields_can_still_be_read() -> None:
    source = random.Random(5)
    changed = 0
    for case in all_cases():
        if not isinstance(case.request, str):
            continue
        _, content, _ = case.wire()
        kind = METHODS[case.call].request
        message = kind.FromString(content)
        mutate_fields(message, source)
        again = kind.FromString(message.SerializeToString())
        assert str(again) == str(message)
        changed += again != kind.FromString(content)
    assert changed > 100


def test_the_same_seed_gives_the_same_requests() -> None:
    first, second = (
        [mutate(b"abcdef", b"ghijkl", random.Random(3)) for _ in range(5)]
        for _ in range(2)
    )
    assert first == second


def test_a_server_that_is_not_there_is_said_in_a_sentence() -> None:
    for command in ("fuzz", "conformance"):
        found = CliRunner().invoke(main, [command, "--target", "127.0.0.1:1"])
        assert found.exit_code == 1
        assert found.output == "Error: No server answers at 127.0.0.1:1.\n"
