"""A SavedModel that holds no lists of what each user liked, beside one that does."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import worlds
from tests.uvcan_tf.saved_model.test_export import (
    ALL_USERS,
    ALL_VIDEOS,
    METRICS,
    Saved,
    held_out_examples,
    save,
)
from uvcan_tf import features as names
from uvcan_tf.config import Config, HistorySettings, RecommendationConfig
from uvcan_tf.data.dataset import Pairs
from uvcan_tf.training.fit import fit

pytestmark = pytest.mark.slow  # one training, two exports

LIKING = [user for user, _ in worlds.LIKES]
REMEMBERING = dataclasses.replace(
    worlds.SMALL_CONFIG,
    history=HistorySettings(factors=3, uniform=4, users=3),
)
FORGETTING = dataclasses.replace(
    REMEMBERING, recommendation=RecommendationConfig(remembers_likes=False)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("export")


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[Saved, Saved]:
    """The same weights, saved with the lists and without."""
    dataset = worlds.small()
    model = fit(dataset, REMEMBERING)
    rng = np.random.default_rng(2)
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))

    def saved(config: Config, name: str) -> Saved:
        return save(model, dataset, folder / name, config)

    return saved(REMEMBERING, "with"), saved(FORGETTING, "without")


def listed(folder: Path, videos: Collection[str]) -> list[str]:
    """The files that have the rows of the videos one after the other, in order."""
    rows = sorted(ALL_VIDEOS.index(video) + 1 for video in videos)
    wanted = [np.asarray(rows, kind).tobytes() for kind in (np.int32, np.int64)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [p.name for p in files if any(w in p.read_bytes() for w in wanted)]


@pytest.mark.parametrize("user", LIKING)
def test_the_lists_are_in_no_file_of_the_export(
    folder: Path, both: tuple[Saved, Saved], user: str
) -> None:
    liked = both[0].liked(user)
    [data] = listed(folder / "with", liked)
    assert data.startswith("variables.data")
    assert listed(folder / "without", liked) == []


@pytest.mark.parametrize("left_out", [True, False])
def test_skips_are_held_where_they_count(
    folder: Path, both: tuple[Saved, Saved], left_out: bool
) -> None:
    model = both[0].model
    skipped = [2, 5, 7, 10]  # of ann; nobody likes these
    pairs = Pairs(np.full(4, 1, np.int32), np.array(skipped, np.int32) + 1)
    dataset = dataclasses.replace(both[0].dataset, impressions=pairs)
    chosen = RecommendationConfig(without_skipped_impressions=left_out)
    config = dataclasses.replace(REMEMBERING, recommendation=chosen)
    saved = folder / f"skips {left_out}"
    save(model, dataset, saved, config)
    found = listed(saved, [ALL_VIDEOS[number] for number in skipped])
    assert bool(found) == left_out


@pytest.mark.parametrize("user", LIKING)
def test_recommend_leaves_out_only_what_the_request_tells(
    both: tuple[Saved, Saved], user: str
) -> None:
    remembering, forgetting = both
    everything = forgetting.best(user, without=set())
    assert forgetting.recommend([user], k=11) == [everything]
    excluded = sorted(remembering.liked(user))
    [found] = forgetting.recommend([user], k=11, exclude_video_ids=[excluded])
    assert [v for v in found if v] == remembering.best(user, without=set(excluded))


def test_every_score_is_the_same(both: tuple[Saved, Saved]) -> None:
    first, second = (m.rank(ALL_USERS, [ALL_VIDEOS] * len(ALL_USERS)) for m in both)
    np.testing.assert_array_equal(first, second)
    rows = [{**user, **worlds.VIDEOS[3]} for user in worlds.USERS]
    examples = [worlds.example(row) for row in rows]
    first, second = (
        m.call(names.SERVING_DEFAULT, examples=examples)[names.SCORE] for m in both
    )
    np.testing.assert_allclose(first, second, atol=1e-6)


def rank(saved: Saved, liked: list[list[str]]) -> Any:
    users = LIKING[: len(liked)]
    return saved.call(
        names.RANK,
        user_id=users,
        video_ids=[ALL_VIDEOS] * len(users),
        liked_video_ids=liked,
    )[names.SCORE]


def test_the_likes_of_a_request_take_the_place_of_forgotten_ones(
    both: tuple[Saved, Saved],
) -> None:
    remembering, forgetting = both
    own = sorted(remembering.liked("ann"))
    given = [[*own, "v2"], [""] * (len(own) + 1)]  # bob tells nothing
    np.testing.assert_allclose(
        rank(forgetting, given), rank(remembering, given), atol=1e-6
    )
    few = rank(forgetting, [["v2"]])
    assert np.abs(few - rank(remembering, [["v2"]])).max() > 1e-3


def test_evaluate_is_the_same_where_rows_tell_all_likes(
    both: tuple[Saved, Saved],
) -> None:
    remembering, forgetting = both
    dataset = remembering.dataset
    rows = [
        {
            names.USER_ID: ALL_USERS[user - 1],
            names.VIDEO_ID: ALL_VIDEOS[video - 1],
            names.HELD_OUT: [
                *remembering.liked(ALL_USERS[user - 1]),
                *(
                    ALL_VIDEOS[v - 1]
                    for v in dataset.test.video[dataset.test.user == user]
                ),
            ],
        }
        for user, video in zip(dataset.test.user, dataset.test.video, strict=True)
    ]
    found = forgetting.call(names.EVALUATE, examples=list(map(worlds.example, rows)))
    expected = remembering.call(names.EVALUATE, examples=held_out_examples(dataset))
    for name in METRICS:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)
