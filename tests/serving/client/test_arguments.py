"""Whatever a caller gives is taken, or refused by one sentence of one family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from serving.client import arguments
from serving.client.client import RecommenderClient
from serving.client.errors import InvalidRequest

Ask = Callable[[RecommenderClient], Any]


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda c: c.rank("u1", "v12"), "a list of strings. Received: video_ids='v12'"),
        (lambda c: c.recommend("u1", exclude="v2"), "`exclude_video_ids` should be a"),
        (lambda c: c.recommend("u1", candidates="v2"), "`candidate_video_ids` should"),
        (lambda c: c.rank("u1", None), "`video_ids` should be a list of strings"),
        (lambda c: c.rank("u1", np.array("v1")), "`video_ids` should be a list of str"),
        (lambda c: c.rank("u1", np.array([["v1"]])), "`video_ids` should be a list of"),
        (lambda c: c.score("u1"), "`rows` should be a list of rows"),
        (lambda c: c.rank("u1", 7), "`video_ids` should be a list of strings"),
        (lambda c: c.rank("u1", b"v1"), "`video_ids` should be a list of strings"),
        (lambda c: c.rank("u1", ["v1", None]), "`video_ids` should be a non-empty"),
        (lambda c: c.rank("u1", [""]), "`video_ids` should be a non-empty string"),
        (lambda c: c.rank("\ud800", ["v1"]), r"UTF-8 can carry. .*user_id='\\ud800'"),
        (lambda c: c.explain("u1", "\ud800"), "`video_id` should be text that UTF-8"),
        (lambda c: c.rank(7, ["v1"]), "`user_id` should be a non-empty string"),
        (lambda c: c.recommend("u1", k=2.0), r"`k` should be a positive int.*k=2.0"),
        (lambda c: c.recommend("u1", k=True), "`k` should be a positive int"),
        (lambda c: c.recommend("u1", k=2**31), "`k` should be a positive int"),
        (
            lambda c: c.rank("u", ["v"], {"gender": None}),
            r"`attributes\['gender'\]` should be a list of strings. Received: .*=None",
        ),
        (
            lambda c: c.rank("u", ["v"], {"age": float("nan")}),
            r"`attributes\['age'\]` should be a finite number",
        ),
        (
            lambda c: c.rank("u", ["v"], {"look": [1.0, "x"]}),
            r"`attributes\['look'\]` should be a finite number. Received: .*='x'",
        ),
        (
            lambda c: c.rank("u", ["v"], {"age": True}),
            r"`attributes\['age'\]` should be a list of strings",
        ),
        (lambda c: c.rank("u", ["v"], ["gender"]), "`attributes` should be a mapping"),
        (lambda c: c.rank("u", ["v"], {1: "f"}), "`attributes` should be a non-empty"),
    ],
)
def test_a_wrong_argument_is_refused(
    client: RecommenderClient, ask: Ask, sentence: str
) -> None:
    with pytest.raises(InvalidRequest, match=sentence) as error:
        ask(client)
    assert "\n" not in str(error.value)
    str(error.value).encode()  # can be printed


@pytest.mark.parametrize(
    "videos",
    [
        ["v1", "v2"],
        ("v1", "v2"),
        np.array(["v1", "v2"]),
        np.array(["v1", "v2"], object),
        dict.fromkeys(["v1", "v2"]).keys(),
    ],
)
def test_any_kind_of_list_is_ranked(client: RecommenderClient, videos: Any) -> None:
    found = client.rank("u1", videos)
    assert [video.video_id for video in found] == ["v1", "v2"]


def test_a_generator_is_ranked_and_excluded(client: RecommenderClient) -> None:
    found = client.rank("u1", (f"v{n}" for n in (3, 1)))
    assert [video.video_id for video in found] == ["v3", "v1"]
    left = client.recommend("u1", k=1, exclude=(v for v in ["v7"]))
    assert [video.video_id for video in left] == ["v6"]


def test_numbers_of_numpy_are_numbers(client: RecommenderClient) -> None:
    assert len(client.recommend("u1", k=np.int64(3))) == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"retries": -1}, "`retries` should be an int from 0 to 4, .* retries=-1"),
        ({"retries": 5}, "`retries` should be an int from 0 to 4"),
        ({"retries": 1.5}, "`retries` should be an int from 0 to 4"),
        ({"timeout_s": 0}, "`timeout_s` should be a positive number of seconds"),
        ({"timeout_s": "5"}, "`timeout_s` should be a positive number of seconds"),
        ({"timeout_s": float("nan")}, "`timeout_s` should be a positive number"),
        ({"model_name": ""}, "`model_name` should be a non-empty string"),
    ],
)
def test_a_wrong_setting_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        RecommenderClient("localhost:1", **options)


def test_a_long_value_is_shortened() -> None:
    with pytest.raises(InvalidRequest, match=r"x{40,}\.\.\.\.$") as error:
        arguments.texts("video_ids", "x" * 1000)
    assert len(str(error.value)) < 160
