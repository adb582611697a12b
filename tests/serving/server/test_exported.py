"""The real SavedModel behind the server: warm-up, every call, no crash by strings."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

import serving
from serving.cli import main
from serving.client.client import RecommenderClient
from serving.server.app import Server
from serving.server.savedmodel import SavedModel
from serving.server.warmup import FILE, warm_up
from serving.wire import tensors
from serving.wire.protos import (
    classification_pb2,
    inference_pb2,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)
from tests import worlds
from tests.serving.conftest import free_port, options
from uvcan_tf import features as names
from uvcan_tf.saved_model.warm_up import example

pytestmark = pytest.mark.slow  # one export serves all

Stub = Any


@pytest.fixture(scope="module")
def rest_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def exported(version: Path, rest_port: int) -> Iterator[str]:
    choice = options(version.parent, "uvcan", rest_api_port=rest_port)
    with Server(choice) as server:
        yield f"127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def stub(exported: str) -> Iterator[Stub]:
    with grpc.insecure_channel(exported) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def test_the_model_serves_behind_batches_too(batching: str) -> None:
    with RecommenderClient(batching) as client:
        found = client.recommend("ann", k=3)
        assert len(found) == 3
        ranked = client.rank("ann", [video.video_id for video in found])
        assert [v.score for v in ranked] == pytest.approx([v.score for v in found])
        assert client.explain("ann", "v1").user.facets[0] == names.USER_ID


def test_joined_calls_get_what_single_ones_get(exported: str, batching: str) -> None:
    told = {"gender": "m"}
    videos = [f"v{number}" for number in range(11)]
    calls: list[Callable[[RecommenderClient], Any]] = [
        lambda client: client.recommend("ann", k=2),
        lambda client: client.recommend("bob", k=11, exclude=["v1"]),
        lambda client: client.recommend("eve", candidates=["v9", "v3", "v5"]),
        lambda client: client.recommend("nobody", k=4),
        lambda client: client.recommend("nobody", exclude=["v2", "v3"]),
        lambda client: client.rank("ann", videos),
        lambda client: client.rank("bob", videos[:2]),
        lambda client: client.rank("nobody", videos[:5], told),
        lambda client: client.rank("nobody", videos[5:], {"place": "south"}),
    ]
    with RecommenderClient(exported) as alone, RecommenderClient(batching) as joined:
        expected = [call(alone) for call in calls]
        with ThreadPoolExecutor(2 * len(calls)) as pool:
            found = list(pool.map(lambda call: call(joined), calls * 2))
    for ours, theirs in zip(found, expected * 2, strict=True):
        assert [v.video_id for v in ours] == [v.video_id for v in theirs]
        assert [v.score for v in ours] == pytest.approx([v.score for v in theirs])


def records(version: Path) -> list[prediction_log_pb2.PredictionLog]:
    parse = prediction_log_pb2.PredictionLog.FromString
    found = tf.data.TFRecordDataset(str(version / FILE)).as_numpy_iterator()
    return [parse(record) for record in found]


def test_every_signature_and_call_has_a_warm_up_request(version: Path) -> None:
    model = SavedModel(version)
    logs = records(version)
    asked = {
        log.predict_log.request.model_spec.signature_name
        for log in logs
        if log.WhichOneof("log_type") == "predict_log"
    }
    assert asked == set(model.signatures) - {"__saved_model_init_op"}
    assert {log.WhichOneof("log_type") for log in logs} == {
        *("predict_log", "classify_log", "regress_log", "multi_inference_log")
    }
    warm_up(model, version)  # raises where a request fails


def test_an_example_of_the_warm_up_is_the_raw_row() -> None:
    row = worlds.USERS[0] | worlds.VIDEOS[0]
    found = example(worlds.small()).features.feature
    assert found["gender"].bytes_list.value == [b"f"]
    assert list(found["tags"].bytes_list.value) == [b"x"]
    length = np.linalg.norm(row["look"])
    expected = np.array(row["look"]) / length
    np.testing.assert_allclose(found["look"].float_list.value, expected, atol=1e-6)


def test_regress_classify_and_both_at_once_give_the_score(
    exported: str, stub: Stub
) -> None:
    row = worlds.USERS[1] | worlds.VIDEOS[3]
    with RecommenderClient(exported) as client:
        [score] = client.score([row], worlds.FEATURES)
    message = tf.train.Example.FromString(worlds.example(row)).SerializeToString()
    regress = regression_pb2.RegressionRequest()
    regress.model_spec.name = "uvcan"
    regress.model_spec.signature_name = names.REGRESS
    regress.input.example_list.examples.add().MergeFromString(message)
    classify = classification_pb2.ClassificationRequest.FromString(
        regress.SerializeToString()
    )
    classify.model_spec.signature_name = names.CLASSIFY
    both = inference_pb2.MultiInferenceRequest(input=regress.input)
    for request in (classify, regress):
        signature = request.model_spec.signature_name
        both.tasks.add(
            model_spec=request.model_spec,
            method_name=f"tensorflow/serving/{signature}",
        )
    told = stub.MultiInference(both).results
    for classes in (
        stub.Classify(classify).result.classifications[0].classes,
        told[0].classification_result.classifications[0].classes,
    ):
        assert [one.label for one in classes] == list(names.CLASS_LABELS)
        assert classes[1].score == pytest.approx(score, abs=1e-6)
    for result in (stub.Regress(regress).result, told[1].regression_result):
        assert result.regressions[0].value == pytest.approx(score, abs=1e-6)


def test_clients_tell_of_strangers_and_list_candidates(exported: str) -> None:
    told = {"gender": "m", "place": "south"}
    listed = ["v2", "v7", "v2", "nowhere"]
    with RecommenderClient(exported) as client:
        rows = [told | video for video in worlds.VIDEOS]
        expected = client.score(rows, worlds.FEATURES)
        ranked = client.rank("stranger", [f"v{n}" for n in range(11)], told)
        scores = [video.score for video in ranked]
        assert scores == pytest.approx(expected, abs=1e-6)
        found = client.recommend("stranger", candidates=listed, attributes=told)
        assert {video.video_id for video in found} == {"v2", "v7"}
        assert client.recommend("stranger", candidates=[]) == []
    flags = ["--attribute", "gender=m", "--attribute", "place=south", "--json"]
    asked = ["recommend", "--target", exported, "--user", "stranger", *flags]
    result = CliRunner().invoke(main, [*asked, "--candidates", "v2,v7"])
    assert [row["video_id"] for row in json.loads(result.output)] == [
        video.video_id for video in found
    ]


def predict(stub: Stub, signature: str, **inputs: Any) -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "uvcan"
    request.model_spec.signature_name = signature
    for name, values in inputs.items():
        array = np.array(values, object)
        request.inputs[name].CopyFrom(tensors.to_proto(array))
    return stub.Predict(request, timeout=10)


def test_optional_inputs_can_be_left_out_on_the_wire(stub: Stub) -> None:
    user = {names.USER_ID: [b"nobody"]}
    plain = predict(stub, names.RECOMMEND, **user)
    told = predict(stub, names.RECOMMEND, **user, place=[b"south"])
    assert len(plain.outputs[names.VIDEO_IDS].string_val) == 10
    scores = [reply.outputs[names.SCORE].float_val for reply in (plain, told)]
    assert list(scores[0]) != list(scores[1])


@pytest.mark.parametrize(
    "odd", [b"", b"\xff\xfe\x00", "日本".encode(), b"x" * 100_000, b"a\nb\0c"]
)
def test_no_string_crashes_a_call(stub: Stub, odd: bytes) -> None:
    user, told = {names.USER_ID: [odd]}, {"gender": [odd], "place": [odd]}
    videos = [[odd, b"v1", odd]]
    ranked = predict(stub, names.RANK_BY_ATTRIBUTES, **user, **told, video_ids=videos)
    assert np.isfinite(ranked.outputs[names.SCORE].float_val).all()
    found = predict(
        stub,
        names.RECOMMEND,
        **{**user, **told, names.EXCLUDE_VIDEO_IDS: videos},
        candidate_video_ids=[[b"v2", b"v1", odd]],
    )
    ids = found.outputs[names.VIDEO_IDS].string_val
    assert [name for name in ids if name] == [b"v2"]
    told_why = predict(stub, names.EXPLAIN, **user, video_id=[odd])
    assert np.isfinite(told_why.outputs[names.SCORE].float_val).all()


def test_the_rest_example_of_the_documentation_recommends(
    exported: str, rest_port: int
) -> None:
    page = Path(serving.__file__).parent.parent / "docs" / "serving.md"
    [(path, body)] = re.findall(
        r"curl localhost:8501(/\S+) -d '(.+?)'\n```", page.read_text(), re.S
    )
    url = f"http://127.0.0.1:{rest_port}{path}"
    with urllib.request.urlopen(url, body.encode(), timeout=20) as reply:
        known, stranger = json.load(reply)["predictions"]
    with RecommenderClient(exported) as client:
        expected = [
            client.recommend("ann", k=3, exclude=["v2"]),
            client.recommend("new", k=2, attributes={"gender": "f"}),
        ]
    for row, videos in zip((known, stranger), expected, strict=True):
        found = row[names.VIDEO_IDS][: len(videos)]
        assert found == [video.video_id for video in videos]
    assert (known[names.KNOWN_USER], stranger[names.KNOWN_USER]) == (True, False)
    assert (known[names.FOUND], stranger[names.FOUND]) == (3, 2)
