"""`recommend` with a first stage, beside scores and products made with NumPy.

Shapes: V=11 videos, of which N=4 are candidates.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from tests.uvcan_tf.saved_model.test_export import (
    ALL_USERS,
    ALL_VIDEOS,
    STRANGER,
    save,
)
from uvcan_tf import features as names
from uvcan_tf.config import Config, HistorySettings, IALSSettings, RecommendationConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model import candidate_recall
from uvcan_tf.saved_model.export import LookupTransform
from uvcan_tf.saved_model.recommender import Recommender

pytestmark = pytest.mark.slow  # one export serves all, and takes a few seconds

N = 4
HISTORY = {"history": HistorySettings(factors=3)}
PRIOR = {"prior": IALSSettings(factors=3)}


def untrained(
    candidates: int | None = N, sections: Any = HISTORY
) -> tuple[UVCAN, Dataset, Config]:
    """A model of random weights, the same each time."""
    dataset = worlds.small()
    recommendation = RecommendationConfig(candidates=candidates)
    config: Config = dataclasses.replace(
        worlds.SMALL_CONFIG, recommendation=recommendation, **sections
    )
    model = UVCAN(dataset, config)
    model.rate(tf.constant([1]), tf.constant([[1]]))
    rng = np.random.default_rng(2)
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return model, dataset, config


def recommender(
    folder: Path, model: UVCAN, dataset: Dataset, config: Config
) -> Recommender:
    transform = LookupTransform(dataset, folder)
    return Recommender(model, dataset, transform, config, folder)


class Made(NamedTuple):
    """A recommender in memory, which answers as its SavedModel does."""

    module: Recommender
    signature: Any
    model: UVCAN
    dataset: Dataset

    def call(self, users: list[str], **options: Any) -> dict[str, Any]:
        if isinstance(options.get(names.K), int):
            options[names.K] = [options[names.K]]
        given = {
            name: tf.constant(value, tf.int32 if name == names.K else tf.string)
            for name, value in options.items()
        }
        found = self.signature(tf.constant(users, tf.string), **given)
        return {name: output.numpy() for name, output in found.items()}

    def recommend(self, users: list[str], **options: Any) -> list[list[str]]:
        found = self.call(users, **options)[names.VIDEO_IDS]
        return [[video.decode() for video in row] for row in found]

    def liked(self, user: str) -> set[str]:
        rows = self.dataset.train.by_user(self.dataset.users.size)
        return {ALL_VIDEOS[v - 1] for v in rows.of(ALL_USERS.index(user) + 1)}


def made(folder: Path, candidates: int | None, sections: Any = HISTORY) -> Made:
    model, dataset, config = untrained(candidates, sections)
    module = recommender(folder, model, dataset, config)
    return Made(module, module.signatures()[names.RECOMMEND], model, dataset)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("some"), N)


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("all"), None)


def product(saved: Made, likes: list[str]) -> np.ndarray:
    """h · o + b of every video for somebody with these likes, [V].

    What o new videos have is tested where it is made.
    """
    layer, trained = saved.model.network.liked_videos, saved.dataset.trained_videos
    rows = {ALL_VIDEOS.index(video) + 1 for video in likes}
    rows = sorted(row for row in rows if trained[row])
    h = layer.inputs.numpy()[rows].sum(axis=0) / np.sqrt(max(1, len(rows)))
    factors = saved.model.tables.videos(tf.range(1, 12))[names.LIKED_VIDEOS].numpy()
    found: np.ndarray = factors[:, :-1] @ h + factors[:, -1]
    return found


def expected(
    saved: Made, exact: Made, user: str, liked: list[str], gone: set[str]
) -> list[str]:
    """The best of the N greatest products among what is not gone."""
    likes = [*(saved.liked(user) if user in ALL_USERS else ()), *liked]
    found = [
        ALL_VIDEOS[i]
        for i in np.argsort(-product(saved, likes))
        if ALL_VIDEOS[i] not in {*likes, *gone}
    ][:N]
    order = exact.recommend([user], k=11, liked_video_ids=[liked])[0]
    return [video for video in order if video in found]


@pytest.mark.parametrize("user", [*ALL_USERS, STRANGER])
@pytest.mark.parametrize("liked", [[""], ["v2", "v4"]])
@pytest.mark.parametrize("gone", [[""], ["v0", "v7", "v10"]])
def test_the_greatest_products_are_rated_in_full(
    saved: Made, exact: Made, user: str, liked: list[str], gone: list[str]
) -> None:
    """What is liked or excluded takes no place of a candidate."""
    wanted = [video for video in liked if video]
    [found] = saved.recommend([user], liked_video_ids=[liked], exclude_video_ids=[gone])
    there = [video for video in found if video]
    assert there == expected(saved, exact, user, wanted, set(gone))


def test_scores_are_those_of_the_whole_catalogue(saved: Made, exact: Made) -> None:
    found, every = saved.call(["ann"]), exact.call(["ann"], k=11)
    places = [
        list(every[names.VIDEO_IDS][0]).index(v) for v in found[names.VIDEO_IDS][0]
    ]
    scores = every[names.SCORE][:, places]
    np.testing.assert_allclose(found[names.SCORE], scores, atol=1e-5)
    assert found[names.FOUND].tolist() == [N]


@pytest.mark.parametrize("count", [2, N, 7])
def test_whatever_is_listed_is_rated_exactly(
    saved: Made, exact: Made, count: int
) -> None:
    listed = [ALL_VIDEOS[-count:], ["v3", "v3"] + [""] * (count - 2)]
    options = {"k": N, "candidate_video_ids": listed}
    users = ["cat", "nobody"]
    assert saved.recommend(users, **options) == exact.recommend(users, **options)
    most = {**options, "k": 7}
    if count == 7:  # so many may be asked for, too, where as many are listed
        assert saved.recommend(["cat"], k=4, candidate_video_ids=listed[:1])
        assert saved.recommend(users, **most) == exact.recommend(users, **most)


def test_each_user_of_a_batch_gets_the_same_as_alone(saved: Made) -> None:
    users = ["ann", "bob", STRANGER, "eve"]
    listed = [[""] * 9, ALL_VIDEOS[:9], [""] * 9, [""] * 9]
    ks = [4, 9, 2, 3]
    together = saved.recommend(users, k=ks, candidate_video_ids=listed)
    for user, row, videos, k in zip(users, together, listed, ks, strict=True):
        [alone] = saved.recommend([user], k=k, candidate_video_ids=[videos])
        assert row == alone + [""] * (9 - k)


def test_an_empty_list_leaves_nothing(saved: Made) -> None:
    nothing = np.zeros([1, 0], "S")
    found = saved.call(["ann"], candidate_video_ids=nothing)
    assert found[names.FOUND].tolist() == [0]


def test_nobody_gets_nothing(saved: Made) -> None:
    assert saved.recommend([], k=3) == []


def test_more_videos_than_candidates_are_refused_in_a_sentence(saved: Made) -> None:
    sentence = (
        "`k` should be at most 4, the number of candidates that "
        "`recommend` rates in this model. Received: k=5. Ask for fewer, or export with "
        "more `recommendation.candidates`."
    )
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        saved.recommend(["ann"], k=5)
    assert sentence in raised.value.message


@pytest.mark.parametrize("candidates", [11, 12])
def test_as_many_candidates_as_videos_are_the_whole_catalogue(
    candidates: int, tmp_path: Path
) -> None:
    best = recommender(tmp_path, *untrained(candidates)).best
    assert best.candidates is None
    assert best.default_k == 10


def test_its_recall_of_the_exact_answer_is_measured(saved: Made, exact: Made) -> None:
    users = [user for user in ALL_USERS if saved.liked(user)]
    best = exact.recommend(users, k=N)
    found = saved.recommend(users, k=N)
    shares = [
        len({*ours} & {*theirs}) / N for ours, theirs in zip(best, found, strict=True)
    ]
    content = candidate_recall.measured(saved.module.best, saved.dataset, seed=1)
    assert content["recall"] == pytest.approx(np.mean(shares))
    counts = {"candidates": N, "videos": 11, "users": len(users), "k": N}
    assert content == {**counts, "recall": content["recall"]}


def test_a_saved_model_has_the_usual_signature_and_its_recall(
    saved: Made, exact: Made, tmp_path: Path
) -> None:
    model, dataset, config = untrained()
    loaded = save(model, dataset, tmp_path / "1", config)
    specs = [
        made.signature.get_concrete_function().structured_input_signature
        for made in (saved, exact)
    ]
    assert str(specs[0]) == str(specs[1])
    assert loaded.defaults[names.RECOMMEND][names.K].tolist() == [N]
    assert loaded.recommend(["ann"]) == saved.recommend(["ann"])
    measured = candidate_recall.measured(saved.module.best, dataset, seed=1)
    assert candidate_recall.read(tmp_path / "1") == measured


def test_a_prior_has_a_product_too(tmp_path: Path) -> None:
    model, dataset, config = untrained(N, PRIOR)
    best = recommender(tmp_path, model, dataset, config).best
    rows = tf.range(1, len(ALL_USERS) + 1)
    videos = tf.range(1, len(ALL_VIDEOS) + 1)
    x = model.represent_users(rows).prior[0].numpy()
    y = model.represent_videos(videos).prior[0].numpy()
    products = x @ y.T
    liked = dataset.train.by_user(dataset.users.size)
    for row, user in enumerate(ALL_USERS[:4]):
        order = [
            v for v in np.argsort(-products[row]) if v + 1 not in liked.of(row + 1)
        ]
        logits = model.rate(rows[row : row + 1], videos[None]).logits[0].numpy()
        wanted = sorted(order[:N], key=lambda video: -logits[video])
        nothing = tf.constant([[""]])
        found = best.recommend(tf.constant([user]), tf.constant([N]), nothing, nothing)
        ids = [video.decode() for video in found[names.VIDEO_IDS][0].numpy()]
        assert ids == [ALL_VIDEOS[video] for video in wanted]
