"""Likes in a request: of a stranger, of a known user, alone and in a batch.

The histories are summed up in NumPy, and the prior's factors of strangers solved for;
the network then rates them as it does others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from tests.uvcan_tf.factorization.least_squares import factors_of
from tests.uvcan_tf.saved_model.test_export import (
    ALL_USERS,
    ALL_VIDEOS,
    STRANGER,
    Saved,
    in_memory,
    save,
)
from uvcan_tf import features as names
from uvcan_tf.config import HistorySettings, IALSSettings
from uvcan_tf.saved_model.warm_up import requests
from uvcan_tf.training.fit import fit

pytestmark = pytest.mark.slow  # one export serves all, and takes a few seconds

NEW = ["v2", "v4"]  # likes that ann has not in the tables


PRIOR = IALSSettings(factors=3, attribute_ridge=1.0, attribute_pull=0.5)


@pytest.fixture(scope="module", params=[None, PRIOR], ids=["alone", "with a prior"])
def saved(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Saved:
    return exported(request.param, tmp_path_factory.mktemp("export") / "1")


def exported(prior: IALSSettings | None, folder: Path) -> Saved:
    dataset = worlds.small()
    history = HistorySettings(factors=3, uniform=4, users=3)
    training = dataclasses.replace(worlds.SMALL_CONFIG.training, epochs=4)
    config = dataclasses.replace(
        worlds.SMALL_CONFIG, history=history, training=training, prior=prior
    )
    model = fit(dataset, config)
    rng = np.random.default_rng(2)
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    if model.tables.prior is not None:
        model.tables.prior.weigh(3.0)
    return save(model, dataset, folder, config)


def known(saved: Saved, videos: list[str]) -> list[int]:
    """Rows of those that training knows, each once."""
    trained = saved.model.dataset.trained_videos
    rows = {ALL_VIDEOS.index(v) + 1 for v in videos if v in ALL_VIDEOS}
    return sorted(row for row in rows if trained[row])


def expected(
    saved: Saved, user: str, likes: list[str], skipped: Sequence[str] = ()
) -> np.ndarray:
    """Scores [V] of a user of the tables, or of nobody, with exactly these videos."""
    network, tables = saved.model.network, saved.model.tables
    row = ALL_USERS.index(user) + 1 if user in ALL_USERS else len(ALL_USERS) + 1
    rows = known(saved, likes)
    h = network.liked_videos.inputs.numpy()[rows].sum(axis=0)
    h = (h / np.sqrt(max(1, len(rows)))).astype(np.float32)
    columns = {
        **tables.users(tf.constant([[row]])),
        names.LIKED_VIDEOS: tf.constant(h[None, None]),
    }
    less = known(saved, [video for video in skipped if video not in likes])
    if tables.prior is not None and row > len(ALL_USERS) and (rows or less):
        x = folded_in(saved, rows, less)
        columns[names.PRIOR] = tf.constant(x[None, None], tf.float32)
    videos = tables.videos(tf.range(1, len(ALL_VIDEOS) + 1)[None])
    return tf.sigmoid(network(columns, videos).logits)[0].numpy()


def folded_in(saved: Saved, liked: list[int], skipped: list[int]) -> np.ndarray:
    """s x of whom these video rows tell, and nobody knows anything else of."""
    prior = saved.model.tables.prior or pytest.fail("no prior")
    settings = saved.model.config.prior or pytest.fail("no prior")
    mean = prior.users.numpy()[-1] / prior.weight
    x = factors_of(
        saved.dataset,
        prior.videos.numpy()[1:-1],
        settings,
        [row - 1 for row in liked],
        [row - 1 for row in skipped],
        mean,
    )
    return prior.weight * x


def rank(saved: Saved, user: str, liked: list[str], **more: Any) -> np.ndarray:
    given = {names.LIKED_VIDEO_IDS: [liked], **more}
    signature = names.RANK_BY_ATTRIBUTES if more else names.RANK
    found = saved.call(signature, user_id=[user], video_ids=[ALL_VIDEOS], **given)
    return found[names.SCORE][0]


@pytest.mark.parametrize("liked", [["v3"], ["v0", "v9", "v3"], [""]])
def test_a_stranger_is_known_by_likes_alone(saved: Saved, liked: list[str]) -> None:
    found = rank(saved, STRANGER, liked)
    np.testing.assert_allclose(found, expected(saved, STRANGER, liked), atol=1e-5)


def test_new_likes_count_beside_the_stored_ones(saved: Saved) -> None:
    both = [*saved.liked("ann"), *NEW]
    found = rank(saved, "ann", NEW)
    np.testing.assert_allclose(found, expected(saved, "ann", both), atol=1e-5)
    assert np.abs(found - rank(saved, "ann", [""])).max() > 1e-3


def test_likes_count_once_and_where_the_tables_have_the_video(saved: Saved) -> None:
    again = [*NEW, NEW[0], "", "no such video", *saved.liked("ann")]
    np.testing.assert_allclose(
        rank(saved, "ann", again), rank(saved, "ann", NEW), atol=1e-6
    )


def test_without_likes_scores_are_those_of_the_model(saved: Saved) -> None:
    scores = saved.rank(ALL_USERS, [ALL_VIDEOS] * len(ALL_USERS))
    np.testing.assert_allclose(scores, in_memory(saved), atol=1e-5)
    own = [expected(saved, "ann", list(saved.liked("ann")))]
    np.testing.assert_allclose(scores[:1], own, atol=1e-5)


def test_a_raw_example_has_the_history_of_its_user(saved: Saved) -> None:
    rows = [{**user, **worlds.VIDEOS[3]} for user in worlds.USERS]
    examples = [worlds.example(row) for row in rows]
    found = saved.call(names.SERVING_DEFAULT, examples=examples)[names.SCORE]
    np.testing.assert_allclose(found, in_memory(saved)[:, 3], atol=1e-5)


def test_a_video_that_the_tables_lack_is_known_by_its_attributes(saved: Saved) -> None:
    """As one that they have, and that nobody likes."""
    known = saved.dataset.trained_videos[1:-1]
    new = [row for row, liked in zip(worlds.VIDEOS, known, strict=True) if not liked]
    assert new
    for row in new:
        pair = {**worlds.USERS[0], **row}
        other = {**pair, names.VIDEO_ID: "no such video"}
        bare = {**worlds.USERS[0], names.VIDEO_ID: "no such video"}
        examples = [worlds.example(x) for x in (pair, other, bare)]
        scores = saved.call(names.SERVING_DEFAULT, examples=examples)[names.SCORE]
        number = ALL_VIDEOS.index(row[names.VIDEO_ID])
        expected = in_memory(saved)[0, number]
        np.testing.assert_allclose(scores[:2], [expected] * 2, atol=1e-5)
        assert abs(scores[2] - expected) > 1e-4


@pytest.mark.parametrize("user", ["ann", STRANGER])
def test_recommend_is_the_best_of_what_is_not_liked(saved: Saved, user: str) -> None:
    scores = rank(saved, user, NEW)
    order = [ALL_VIDEOS[i] for i in np.argsort(-scores, kind="stable")]
    gone = {*NEW, *(saved.liked(user) if user in ALL_USERS else ())}
    [found] = saved.recommend([user], k=11, liked_video_ids=[NEW])
    assert [v for v in found if v] == [v for v in order if v not in gone]


def test_attributes_and_likes_of_a_stranger_count_together(saved: Saved) -> None:
    found = rank(saved, STRANGER, NEW, gender=["f"], place=[""])
    other = rank(saved, STRANGER, NEW, gender=["m"], place=[""])
    assert np.abs(found - other).max() > 1e-4
    plain = rank(saved, STRANGER, NEW, gender=[""], place=[""])
    np.testing.assert_allclose(plain, expected(saved, STRANGER, NEW), atol=1e-5)


def test_each_user_of_a_batch_gets_the_same_as_alone(saved: Saved) -> None:
    users = ["ann", STRANGER, "bob"]
    likes = [["v2", "v4"], ["v7", ""], ["", ""]]
    together = saved.call(
        names.RANK, user_id=users, video_ids=[ALL_VIDEOS] * 3, liked_video_ids=likes
    )[names.SCORE]
    alone = [rank(saved, u, liked) for u, liked in zip(users, likes, strict=True)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_explain_counts_likes_and_names_the_facet(saved: Saved) -> None:
    given = {"user_id": [STRANGER], "video_id": ["v6"], "liked_video_ids": [NEW]}
    found = saved.call(names.EXPLAIN, **given)
    score = rank(saved, STRANGER, NEW)[6]
    np.testing.assert_allclose(found[names.SCORE], [score], atol=1e-5)
    assert found[names.USER_FACETS][0, -1].decode() == names.LIKED_VIDEOS
    weights = found[names.USER_ATTENTION][0]
    assert (weights[:, -1] > 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


def test_a_server_warms_up_with_likes(saved: Saved) -> None:
    told = [names.LIKED_VIDEO_IDS]
    logs = [log.predict_log.request for log in requests(saved.dataset, told)]
    given = {r.model_spec.signature_name for r in logs if "liked_video_ids" in r.inputs}
    takes = {
        name for name in saved.defaults if "liked_video_ids" in saved.defaults[name]
    }
    assert given == takes == {"rank", "rank_by_attributes", "recommend", "explain"}
