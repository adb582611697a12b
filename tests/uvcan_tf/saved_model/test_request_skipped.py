"""Skipped videos in a request, where the prior of a model knows impressions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.uvcan_tf.saved_model.test_export import (
    ALL_VIDEOS,
    STRANGER,
    Saved,
)
from tests.uvcan_tf.saved_model.test_request_histories import (
    PRIOR,
    expected,
    exported,
)
from uvcan_tf import features as names
from uvcan_tf.saved_model.warm_up import requests

pytestmark = pytest.mark.slow  # one export serves all, and takes a few seconds

SIGNATURES = {"rank", "rank_by_attributes", "recommend", "explain"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    prior = dataclasses.replace(PRIOR, impression_weight=0.5)
    return exported(prior, tmp_path_factory.mktemp("export") / "1")


def rank(saved: Saved, user: str, liked: list[str], skipped: list[str]) -> np.ndarray:
    found = saved.call(
        names.RANK,
        user_id=[user],
        video_ids=[ALL_VIDEOS],
        liked_video_ids=[liked],
        skipped_video_ids=[skipped],
    )
    return found[names.SCORE][0]


@pytest.mark.parametrize(
    ("liked", "skipped"),
    [
        (["v3"], ["v5", "v6"]),
        (["v0", "v9"], ["v9", "v1", "v1", "", "no such video"]),
        ([""], ["v2"]),
        (["v3"], [""]),
    ],
)
def test_a_stranger_has_the_factors_of_both(
    saved: Saved, liked: list[str], skipped: list[str]
) -> None:
    """Each once; what is said to be both is liked."""
    found = rank(saved, STRANGER, liked, skipped)
    wanted = expected(saved, STRANGER, liked, skipped)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_what_a_stranger_skipped_counts(saved: Saved) -> None:
    with_both, likes_alone = (
        rank(saved, STRANGER, ["v3"], skipped) for skipped in (["v5"], [""])
    )
    assert np.abs(with_both - likes_alone).max() > 1e-3


def test_a_known_user_keeps_the_factors_of_training(saved: Saved) -> None:
    found = rank(saved, "ann", [""], ["v5", "v6"])
    np.testing.assert_allclose(found, rank(saved, "ann", [""], [""]), atol=1e-6)


def test_each_user_of_a_batch_gets_the_same_as_alone(saved: Saved) -> None:
    users = ["ann", STRANGER, "another stranger"]
    liked = [["v2", "v4"], ["v7", ""], ["", ""]]
    skipped = [["v1"], ["v5"], [""]]
    together = saved.call(
        names.RANK,
        user_id=users,
        video_ids=[ALL_VIDEOS] * 3,
        liked_video_ids=liked,
        skipped_video_ids=skipped,
    )[names.SCORE]
    of_each = zip(users, liked, skipped, strict=True)
    alone = [rank(saved, *of_user) for of_user in of_each]
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("user", ["ann", STRANGER])
def test_recommend_leaves_out_what_was_skipped(saved: Saved, user: str) -> None:
    scores = rank(saved, user, ["v2"], ["v4", "v6"])
    [found] = saved.recommend(
        [user], k=11, liked_video_ids=[["v2"]], skipped_video_ids=[["v4", "v6"]]
    )
    [before] = saved.recommend([user], k=11, liked_video_ids=[["v2"]])
    order = [ALL_VIDEOS[i] for i in np.argsort(-scores, kind="stable")]
    left = {video for video in before if video} - {"v4", "v6"}
    assert [video for video in found if video] == [v for v in order if v in left]


def test_explain_counts_what_was_skipped(saved: Saved) -> None:
    given = {"liked_video_ids": [["v3"]], "skipped_video_ids": [["v5"]]}
    found = saved.call(names.EXPLAIN, user_id=[STRANGER], video_id=["v6"], **given)
    score = rank(saved, STRANGER, ["v3"], ["v5"])[6]
    np.testing.assert_allclose(found[names.SCORE], [score], atol=1e-5)


def test_a_server_warms_up_with_both(saved: Saved) -> None:
    told = [names.LIKED_VIDEO_IDS, names.SKIPPED_VIDEO_IDS]
    logs = [log.predict_log.request for log in requests(saved.dataset, told)]
    for name in told:
        given = {r.model_spec.signature_name for r in logs if name in r.inputs}
        takes = {s for s in saved.defaults if name in saved.defaults[s]}
        assert given == takes == SIGNATURES


def test_a_prior_without_impressions_does_not_ask_for_them(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    other = exported(PRIOR, tmp_path_factory.mktemp("other") / "1")
    assert all(names.SKIPPED_VIDEO_IDS not in d for d in other.defaults.values())
    assert names.LIKED_VIDEO_IDS in other.defaults[names.RANK]
