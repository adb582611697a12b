"""Lists of models that nobody should send never hurt the server."""

import logging
import random
from pathlib import Path

import grpc
import pytest
from google.protobuf import text_format

from serving.checks.conformance.models import CONFIG_FILE
from serving.checks.fuzz_reloads import fuzz_reloads, mutated
from serving.wire.protos import model_management_pb2
from tests.serving.conftest import conformance_server


def test_an_odd_list_has_a_status_and_the_live_models_stay(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with conformance_server(models) as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            statuses, wrong = fuzz_reloads(channel, models, count=60, seed=3)
    assert wrong == []
    assert statuses.total() == 60 and len(statuses) > 2
    assert not [r.getMessage() for r in caplog.records if r.exc_info]


def test_the_same_seed_gives_the_same_lists(models: Path) -> None:
    good = model_management_pb2.ReloadConfigRequest()
    text_format.Parse((models / CONFIG_FILE).read_text(), good.config)
    first, second = (
        [
            mutated(good, models, source).SerializeToString(deterministic=True)
            for _ in range(20)
        ]
        for source in (random.Random(5), random.Random(5))
    )
    assert first == second and len(set(first)) > 10
