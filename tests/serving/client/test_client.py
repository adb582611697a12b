"""The client against a real server on loopback."""

import socket
import threading
import time
from pathlib import Path

import grpc
import numpy as np
import pytest

from serving.client.client import RecommenderClient
from serving.client.errors import (
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    ServerUnavailable,
    UnexpectedReply,
)
from serving.client.records import Scored, Tls
from serving.server.app import Server
from tests.serving.conftest import VIDEOS, free_port, options, toy_score
from uvcan_tf.hashed_ids import hashed


def test_rank_scores_in_the_order_given(client: RecommenderClient) -> None:
    videos = ["v3", "v1", "unheard of", "v3"]
    found = client.rank("u2", videos)
    assert [video.video_id for video in found] == videos
    assert [video.score for video in found] == pytest.approx(
        [toy_score("u2", video) for video in videos]
    )


def test_rank_of_nothing_is_nothing(client: RecommenderClient) -> None:
    assert client.rank("u2", []) == []


def test_recommend_equals_sorting_by_rank(client: RecommenderClient) -> None:
    ranked = sorted(client.rank("u5", VIDEOS), key=lambda video: -video.score)
    best = [(video.video_id, video.score) for video in client.recommend("u5", k=5)]
    assert best == [(video.video_id, video.score) for video in ranked[:5]]


def test_recommend_leaves_out_the_excluded(client: RecommenderClient) -> None:
    found = client.recommend("u1", k=3, exclude=["v7", "v5"])
    assert [video.video_id for video in found] == ["v6", "v4", "v3"]


def test_recommend_drops_the_padding(client: RecommenderClient) -> None:
    found = client.recommend("u1", k=100, exclude=VIDEOS[:-1])
    assert found == [Scored("v7", pytest.approx(7.1), known_user=True)]


@pytest.mark.parametrize(("user", "known"), [("u1", True), ("nobody", False)])
def test_an_answer_says_whether_the_user_is_known(
    client: RecommenderClient, user: str, known: bool
) -> None:
    assert {video.known_user for video in client.recommend(user)} == {known}
    explained = client.explain(user, "v2")
    assert (explained.known_user, explained.known_video) == (known, True)
    assert client.explain(user, "none").known_video is False


def test_a_signature_that_does_not_tell_leaves_it_open(
    client: RecommenderClient,
) -> None:
    assert [video.known_user for video in client.rank("nobody", ["v1"])] == [None]


def test_explain_tells_each_hop_and_facet(client: RecommenderClient) -> None:
    found = client.explain("u1", "v2")
    assert found.score == pytest.approx(2.1)
    assert found.video.facets == ("video_id", "tags", "visual")
    assert found.video.weights[0] == pytest.approx((0.2, 0.3, 0.5))
    assert found.video.last == pytest.approx(
        {"video_id": 0.1, "tags": 0.1, "visual": 0.8}
    )
    assert found.user.weights == ((0.25, 0.75), (0.5, 0.5))


def test_score_encodes_raw_rows(client: RecommenderClient) -> None:
    rows = [{"user_id": "u3", "video_id": "v4"}, {"video_id": "v2", "gender": "f"}]
    assert client.score(rows) == pytest.approx([4.3, 2.0])


def test_score_of_nothing_is_nothing(client: RecommenderClient) -> None:
    assert client.score([]) == []


def test_status_lists_versions(client: RecommenderClient) -> None:
    [version] = client.status()
    assert (version.version, version.state, version.error) == (1, "AVAILABLE", "")


@pytest.mark.parametrize("compression", [False, True])
def test_large_requests_pass(target: str, compression: bool) -> None:
    videos = [f"video-{'x' * 200}-{number}" for number in range(30_000)]
    with RecommenderClient(target, compression=compression, timeout_s=30) as client:
        assert len(client.rank("u1", videos)) == len(videos)


@pytest.mark.parametrize("user", ["", None, 7])
def test_a_bad_id_is_refused_before_sending(user: object) -> None:
    with RecommenderClient("localhost:1") as client:
        with pytest.raises(InvalidRequest, match="`user_id` should be a non-empty"):
            client.recommend(user)  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [0, -1, True, 2.5, 2**31])
def test_a_bad_k_is_refused_before_sending(k: object) -> None:
    with RecommenderClient("localhost:1") as client:
        with pytest.raises(InvalidRequest, match="`k` should be a positive int"):
            client.recommend("u1", k)  # type: ignore[arg-type]


def test_an_unknown_model_is_named(target: str) -> None:
    with RecommenderClient(target, model_name="nope") as client:
        with pytest.raises(ModelNotFound, match=r"Latest\(nope\)"):
            client.recommend("u1")


def test_another_kind_of_model_is_told_apart(models: Path) -> None:
    with Server(options(models / "wide", "uvcan")) as other:
        with RecommenderClient(f"127.0.0.1:{other.port}") as client:
            with pytest.raises(Exception, match='key "rank" not found'):
                client.rank("u1", ["v1"])


def test_a_dead_server_is_named_after_the_retries() -> None:
    target = f"127.0.0.1:{free_port()}"
    with RecommenderClient(target, retries=1) as client:
        with pytest.raises(ServerUnavailable, match=f"No server answers at {target}"):
            client.recommend("u1")


def test_a_server_that_comes_back_is_found_again(models: Path) -> None:
    port = free_port()
    started: list[Server] = []
    choice = options(models / "uvcan", "uvcan", port=port)
    late = threading.Timer(0.15, lambda: started.append(Server(choice)))
    late.start()
    with RecommenderClient(f"127.0.0.1:{port}", retries=4, timeout_s=10) as client:
        assert client.recommend("u1", k=1)[0].video_id == "v7"
    late.join()
    started[0].stop()


def test_a_server_that_hangs_ends_with_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = f"127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        with RecommenderClient(target, timeout_s=0.2) as client:
            with pytest.raises(DeadlineExceeded, match="did not answer in time"):
                client.recommend("u1")
        assert time.monotonic() - begun < 2


def test_a_closed_client_says_so(target: str) -> None:
    client = RecommenderClient(target)
    client.close()
    with pytest.raises(InvalidRequest, match="The client is closed"):
        client.recommend("u1")


def test_a_timeout_should_be_positive() -> None:
    with pytest.raises(InvalidRequest, match="`timeout_s` should be a positive number"):
        RecommenderClient("localhost:1", timeout_s=0)


def test_a_reply_without_the_outputs_is_unexpected() -> None:
    from serving.client import calls
    from serving.wire.protos import predict_pb2

    with pytest.raises(UnexpectedReply, match="should answer with score"):
        calls.scores(predict_pb2.PredictResponse())


def test_errors_keep_their_cause(target: str) -> None:
    with RecommenderClient(target, model_name="nope") as client:
        with pytest.raises(ModelNotFound) as caught:
            client.status()
    assert isinstance(caught.value.__cause__, grpc.RpcError)


def test_a_reply_of_another_form_is_unexpected() -> None:
    from serving.client import calls
    from serving.wire import tensors
    from serving.wire.protos import predict_pb2

    short = predict_pb2.PredictResponse()
    short.outputs["score"].CopyFrom(tensors.to_proto(np.zeros(1, np.float32)))
    with pytest.raises(UnexpectedReply, match="should have the form"):
        calls.ranked(short, ["v1", "v2"])
    short.outputs["video_ids"].CopyFrom(tensors.to_proto(np.array([b"\xff"], object)))
    with pytest.raises(UnexpectedReply, match="should have the form"):
        calls.recommended(short)


def test_certificates_are_bytes() -> None:
    with pytest.raises(InvalidRequest, match="`roots` should be the bytes of a PEM"):
        Tls(roots="ca.pem")  # type: ignore[arg-type]


def test_a_key_hashes_the_user_on_every_way_in(target: str) -> None:
    key = b"0123456789abcdef"
    digits = toy_score(hashed("u2", key), "v3")
    row = {"user_id": "u2", "video_id": "v3"}
    with RecommenderClient(target, id_key=key) as client:
        found = client.explain("u2", "v3")
        scores = [
            client.rank("u2", ["v3"])[0].score,
            client.recommend("u2", exclude=[v for v in VIDEOS if v != "v3"])[0].score,
            found.score,
            client.score([row])[0],
        ]
    assert scores == pytest.approx([digits] * 4)
    assert found.user_id == "u2"


def test_a_short_key_is_refused_at_once() -> None:
    with pytest.raises(InvalidRequest, match="`id_key` should be at least 16"):
        RecommenderClient("localhost:1", id_key=b"short")
