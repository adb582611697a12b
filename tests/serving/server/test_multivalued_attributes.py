"""A user's numbers, vectors and several values are told over gRPC."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from serving.cli import main
from serving.client import RecommenderClient
from serving.server.app import Server
from tests import worlds
from tests.serving.conftest import options
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.features import USER_ID, Categorical, Dense, Features, Numeric
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.export import export

pytestmark = pytest.mark.slow

FEATURES = Features(
    user=(
        Categorical("gender"),
        Categorical("interests", multivalued=True),
        Numeric("age", "buckets", 3),
        Dense("voice", 2),
    ),
    video=worlds.FEATURES.video,
)
INTERESTS = (["sport", "music"], ["film"], None, ["music"], ["film", "sport"])
AGES = (20.0, 30.0, None, 40.0, 50.0)
USERS = [
    {
        USER_ID: user[USER_ID],
        "gender": user["gender"],
        "interests": liked,
        "age": age,
        "voice": [age or 0.0, 1.0],
    }
    for user, liked, age in zip(worlds.USERS, INTERESTS, AGES, strict=True)
]
VIDEOS = [f"v{number}" for number in range(11)]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    likes = [(user, f"v{number}") for user, row in worlds.LIKES for number in row]
    tables = worlds.tables(FEATURES, USERS, worlds.VIDEOS, likes)
    dataset = encode_tables(tables, FEATURES, worlds.SMALL_CONFIG.evaluation)
    model = UVCAN(dataset, worlds.SMALL_CONFIG)
    model.rate(tf.constant([1]), tf.constant([[1]]))
    folder: Path = tmp_path_factory.mktemp("multivalued") / "uvcan" / "1"
    export(model, dataset, None, worlds.SMALL_CONFIG, folder)
    with Server(options(folder.parent, "uvcan")) as server:
        yield f"127.0.0.1:{server.port}"


def scores(target: str, interests: str | list[str]) -> list[float]:
    with RecommenderClient(target) as client:
        ranked = client.rank("stranger", VIDEOS, {"interests": interests})
    return [video.score for video in ranked]


def test_several_values_give_the_score_of_the_raw_row(target: str) -> None:
    told = ["sport", "music"]
    with RecommenderClient(target) as client:
        rows = [{"interests": told} | video for video in worlds.VIDEOS]
        expected = client.score(rows, FEATURES)
    assert scores(target, told) == pytest.approx(expected, abs=1e-6)


def test_a_string_is_one_value(target: str) -> None:
    one = scores(target, "sport")
    assert one == pytest.approx(scores(target, ["sport"]), abs=1e-7)
    assert one != pytest.approx(scores(target, ["film"]), abs=1e-7)


def test_a_repeated_option_tells_several_values(target: str) -> None:
    flags = ["--attribute", "interests=sport", "--attribute", "interests=music"]
    asked = ["recommend", "--target", target, "--user", "stranger", "-k", "3"]
    result = CliRunner().invoke(main, [*asked, *flags, "--json"])
    with RecommenderClient(target) as client:
        told = {"interests": ["sport", "music"]}
        expected = client.recommend("stranger", k=3, attributes=told)
    found = [row["video_id"] for row in json.loads(result.output)]
    assert found == [video.video_id for video in expected]


def test_numbers_and_vectors_give_the_score_of_the_raw_row(target: str) -> None:
    told = {"age": 35, "voice": np.array([2.0, 1.0])}
    with RecommenderClient(target) as client:
        expected = client.score([told | video for video in worlds.VIDEOS], FEATURES)
        ranked = client.rank("stranger", VIDEOS, told)
        untold = client.rank("stranger", VIDEOS)
    assert [video.score for video in ranked] == pytest.approx(expected, abs=1e-6)
    assert [video.score for video in ranked] != [video.score for video in untold]


def test_numbers_are_told_on_the_command_line(target: str) -> None:
    flags = ["--attribute", "age:=35", "--attribute", "voice:=[2, 1]"]
    asked = ["rank", "--target", target, "--user", "stranger", "--videos", "v1,v2"]
    result = CliRunner().invoke(main, [*asked, *flags, "--json"])
    with RecommenderClient(target) as client:
        told = {"age": 35.0, "voice": [2.0, 1.0]}
        expected = client.rank("stranger", ["v1", "v2"], told)
    found = {row["video_id"]: row["score"] for row in json.loads(result.output)}
    assert found == {video.video_id: video.score for video in expected}
