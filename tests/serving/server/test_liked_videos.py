"""Likes in a request through the embedded server: clients, command line, batches."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

import serving
from serving.cli import main
from serving.client import RecommenderClient
from serving.client.aio import AsyncRecommenderClient
from serving.client.errors import RequestRejected
from serving.client.records import Explanation, Scored
from serving.server.app import Server
from tests import worlds
from tests.serving.conftest import options
from uvcan_tf.config import HistorySettings, IALSSettings
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.export import export

pytestmark = pytest.mark.slow  # one export serves all

VIDEOS = [f"v{number}" for number in range(11)]
LIKES = [[], ["v2"], ["v0", "v9", "v3"], ["v5", "v6"], ["no such video"]]


def exported(
    folder: Path, history: HistorySettings | None, prior: IALSSettings | None = None
) -> Path:
    config = dataclasses.replace(worlds.SMALL_CONFIG, history=history, prior=prior)
    dataset = worlds.small()
    model = UVCAN(dataset, config)
    model((tf.constant([1]), tf.constant([[1]])))
    rng = np.random.default_rng(2)
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    export(model, dataset, None, config, folder / "uvcan" / "1")
    return folder / "uvcan"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Behind batches, which wait long enough for calls to meet."""
    folder = tmp_path_factory.mktemp("liked")
    text = (Path(serving.__file__).parent / "deploy" / "batching.config").read_text()
    path = folder / "batching.config"
    path.write_text(text.replace("value: 500 ", "value: 50000 "))
    choice = options(
        exported(folder, HistorySettings(factors=3)),
        "uvcan",
        enable_batching=True,
        batching_parameters_file=str(path),
        grpc_max_threads=64,
    )
    with Server(choice) as server:  # which replays the warm-up
        yield f"127.0.0.1:{server.port}"


def ranked(client: RecommenderClient, user: str, liked: list[str]) -> list[float]:
    return [video.score for video in client.rank(user, VIDEOS, liked=liked)]


@pytest.mark.parametrize("user", ["ann", "stranger"])
def test_a_like_counts_at_once_and_is_not_recommended(target: str, user: str) -> None:
    with RecommenderClient(target) as client:
        before, after = (ranked(client, user, liked) for liked in ([], ["v2", "v4"]))
        found = client.recommend(user, k=11, liked=["v2", "v4"])
        explained = client.explain(user, "v7", liked=["v2", "v4"])
    assert np.abs(np.subtract(before, after)).max() > 1e-3
    scores = dict(zip(VIDEOS, after, strict=True))
    assert not {"v2", "v4"} & {video.video_id for video in found}
    for video in found:
        assert video.score == pytest.approx(scores[video.video_id], abs=1e-5)
    assert explained.score == pytest.approx(scores["v7"], abs=1e-5)


def test_joined_calls_answer_as_single_ones(target: str) -> None:
    with RecommenderClient(target) as client:
        alone = [ranked(client, "ann", liked) for liked in LIKES]
        best = [client.recommend("ann", liked=liked) for liked in LIKES]
        with ThreadPoolExecutor(16) as pool:
            scores = pool.map(lambda liked: ranked(client, "ann", liked), LIKES * 6)
            found = pool.map(lambda x: client.recommend("ann", liked=x), LIKES * 6)
            np.testing.assert_allclose(list(scores), alone * 6, atol=1e-6)
            for one, other in zip(found, best * 6, strict=True):
                assert [v.video_id for v in one] == [v.video_id for v in other]


def test_both_clients_and_the_command_line_send_them(target: str) -> None:
    with RecommenderClient(target) as client:
        expected = client.recommend("stranger", k=3, liked=["v1", "v8"])

    async def asked() -> list[str]:
        async with AsyncRecommenderClient(target) as client:
            found = await client.recommend("stranger", k=3, liked=["v1", "v8"])
        return [video.video_id for video in found]

    flags = ["--user", "stranger", "-k", "3", "--liked", "v1,v8", "--json"]
    result = CliRunner().invoke(main, ["recommend", "--target", target, *flags])
    names = [video.video_id for video in expected]
    assert asyncio.run(asked()) == names
    assert [row["video_id"] for row in json.loads(result.output)] == names


def test_skipped_videos_are_sent_by_both_clients_and_the_command_line(
    tmp_path: Path,
) -> None:
    prior = IALSSettings(factors=3, impression_weight=0.5)
    folder = exported(tmp_path, HistorySettings(factors=3), prior)
    told = {"liked": ["v1"], "skipped": ["v8", "v3"]}
    flags = ["--liked", "v1", "--skipped", "v8,v3", "--json"]
    with Server(options(folder, "uvcan")) as server:
        target = f"127.0.0.1:{server.port}"
        with RecommenderClient(target) as client:
            expected = client.recommend("stranger", **told)
            scored = client.rank("stranger", VIDEOS, **told)
            one = client.explain("stranger", "v7", **told)
            likes_alone = client.rank("stranger", VIDEOS, liked=["v1"])

        async def asked() -> tuple[list[Scored], list[Scored], Explanation]:
            async with AsyncRecommenderClient(target) as client:
                return (
                    await client.recommend("stranger", **told),
                    await client.rank("stranger", VIDEOS, **told),
                    await client.explain("stranger", "v7", **told),
                )

        assert asyncio.run(asked()) == (expected, scored, one)
        command = ["rank", "--target", target, "--user", "stranger", "--videos", "v7"]
        printed = CliRunner().invoke(main, [*command, *flags])
    assert not {"v1", "v8", "v3"} & {video.video_id for video in expected}
    assert scored != likes_alone
    score = pytest.approx(scored[7].score, abs=1e-6)
    assert one.score == score
    assert json.loads(printed.output)[0]["score"] == score


def test_a_model_without_a_history_refuses_likes(tmp_path: Path) -> None:
    with (
        Server(options(exported(tmp_path, None), "uvcan")) as server,
        RecommenderClient(f"127.0.0.1:{server.port}") as client,
        pytest.raises(RequestRejected, match="Sent extra: {liked_video_ids}"),
    ):
        client.rank("ann", VIDEOS, liked=["v1"])
