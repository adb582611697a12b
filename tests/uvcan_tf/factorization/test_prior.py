"""The prior: its share of a rating, and how much validation has it count."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from tests.uvcan_tf.baselines.communities import (
    USERS,
    VIDEOS,
    communities,
    with_attributes,
)
from tests.uvcan_tf.factorization.least_squares import factors_of
from uvcan_tf import features as names
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import (
    Config,
    IALSSettings,
    ModelConfig,
    RecommendationConfig,
    TrainingConfig,
)
from uvcan_tf.data.dataset import NO_PAIRS, Pairs
from uvcan_tf.evaluation import metrics
from uvcan_tf.evaluation.ranking import SAMPLED, rank_pairs
from uvcan_tf.evaluation.scorers import SkippedImpressionsLast
from uvcan_tf.factorization.ials import IALS
from uvcan_tf.factorization.prior import Prior
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.export import export
from uvcan_tf.training.fit import fit

SHOWN = Pairs(np.array([1, 1, 30], np.int32), np.array([14, 20, 2], np.int32))
WORLD = dataclasses.replace(communities(), impressions=SHOWN)
PRIOR = IALSSettings(factors=3, unobserved_weight=0.2, impression_weight=0.5)
CONFIG = Config(
    model=ModelConfig(factors=5, hops=2),
    training=TrainingConfig(epochs=2, batch_size=64, validation_users=20),
    prior=PRIOR,
)


def untrained(config: Config = CONFIG) -> UVCAN:
    model = UVCAN(WORLD, config)
    model((tf.constant([1]), tf.constant([[1]])))
    return model


def randomised(config: Config = CONFIG) -> UVCAN:
    """A model whose every weight counts."""
    model = untrained(config)
    draw = np.random.default_rng(3)
    network = model.network
    network.set_weights([draw.normal(0, 0.3, w.shape) for w in network.weights])
    return model


def test_a_rating_is_the_networks_own_and_the_weighed_prior() -> None:
    users, videos = tf.constant([1, 30]), tf.constant([[1, 5, 19], [20, 3, 2]])
    factors = IALS(WORLD, PRIOR)
    x, y = factors.users[users.numpy()], factors.videos[videos.numpy() - 1]
    model = untrained()
    prior = model.tables.prior or pytest.fail("no prior")
    prior.weigh(0.0)
    own = model.rate(users, videos).logits
    prior.weigh(4.0)
    expected = own + 4.0 * np.einsum("bp,bcp->bc", x, y)
    logits = model.rate(users, videos).logits
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_the_network_is_trained_as_if_there_were_no_prior() -> None:
    last = dataclasses.replace(CONFIG.evaluation, skipped_impressions_last=True)
    # Every user is set apart in both, and there is no epoch to choose.
    training = dataclasses.replace(CONFIG.training, epochs=1, validation_users=USERS)
    config = dataclasses.replace(CONFIG, training=training)
    alone = dataclasses.replace(config, prior=None, evaluation=last)
    with_prior, without = fit(WORLD, config), fit(WORLD, alone)
    pairs = zip(with_prior.network.weights, without.network.weights, strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert isinstance(with_prior.scorer(), SkippedImpressionsLast)


def test_strangers_have_a_weight_of_their_own_until_they_give_likes() -> None:
    settings = dataclasses.replace(PRIOR, attribute_ridge=0.5, attribute_pull=1.0)
    world, stranger = with_attributes(WORLD), USERS + 1
    prior, own = Prior(world, settings), IALS(world, settings)
    prior.weigh(3.0, of_strangers=5.0)
    np.testing.assert_allclose(prior.users[1], 3 * own.users[1], rtol=1e-5)
    assert own.regressions is not None
    np.testing.assert_allclose(prior.users[-1], 5 * own.regressions[0].mean, rtol=1e-5)
    likes = Pairs(np.array([stranger, stranger]), np.array([7, 2]))
    prior.remember(likes)
    with_likes = prior.users.numpy()[stranger]
    prior.weigh(3.0)
    prior.remember(likes)
    np.testing.assert_allclose(with_likes, prior.users[stranger], rtol=1e-4)


def test_new_videos_are_as_far_from_the_mean_as_the_prior_is_told() -> None:
    settings = dataclasses.replace(PRIOR, attribute_ridge=0.5)
    world, new = with_attributes(WORLD), VIDEOS + 1
    prior, own = Prior(world, settings), IALS(world, settings)
    assert own.regressions is not None
    prior.weigh(3.0, spread_of_new_videos=2.0)
    videos = prior.videos.numpy()
    np.testing.assert_allclose(videos[1:new], own.videos[:-1], rtol=1e-5)
    for as_told in (own.videos[-1], None):  # at first, and once it is fitted anew
        videos = prior.videos.numpy()
        of_videos = prior.means[1] if prior.means else pytest.fail("no means")
        found = of_videos({"author": tf.constant([4])})
        np.testing.assert_allclose(found, videos[None, new], rtol=1e-4)
        if as_told is None:
            prior.weigh(3.0)
            as_told = prior.videos.numpy()[new]
        mean = videos[1:new].mean(axis=0)
        np.testing.assert_allclose(videos[new] - mean, 2 * (as_told - mean), rtol=1e-3)
        prior.refit(world)


def test_who_is_unknown_has_everybodys_mean_factors() -> None:
    prior, own = Prior(WORLD, PRIOR), IALS(WORLD, PRIOR)
    fitted = own.users[own.users.any(axis=1)]
    assert 0 < len(fitted) < len(own.users) - 2
    np.testing.assert_allclose(
        prior.users[-1], prior.weight * fitted.mean(axis=0), rtol=1e-5
    )
    strangers = ~own.users.any(axis=1)
    assert (prior.users.numpy()[strangers] == prior.users.numpy()[-1]).all()


def test_the_catalogue_rates_with_the_prior_as_the_network_does() -> None:
    model = randomised()
    users = np.array([0, 1, 30, USERS + 2], np.int32)
    every = np.tile(np.arange(1, VIDEOS + 2, dtype=np.int32), (len(users), 1))
    expected = model.rate(tf.constant(users), tf.constant(every)).logits.numpy()
    catalogue = Catalogue(model)
    np.testing.assert_allclose(catalogue.scores(users), expected, atol=1e-5)
    rated = catalogue.rate(tf.constant(users), tf.constant(every)).logits
    np.testing.assert_allclose(rated, expected, atol=1e-5)


def test_what_was_shown_and_not_liked_ranks_last() -> None:
    scores = SkippedImpressionsLast(Catalogue(untrained()), WORLD).scores(
        np.array([1, 2], np.int32)
    )
    assert set(np.argsort(scores[0])[:2] + 1) == {14, 20}
    assert np.ptp(scores[1]) < 100


@pytest.mark.parametrize("prior", [None, IALSSettings(factors=3)])
def test_without_a_weight_for_what_was_shown_nothing_ranks_last(
    prior: IALSSettings | None,
) -> None:
    model = untrained(dataclasses.replace(CONFIG, prior=prior))
    assert isinstance(model.scorer(), Catalogue)


def test_who_gives_likes_after_training_has_the_factors_of_these() -> None:
    settings = dataclasses.replace(PRIOR, impression_weight=0.0)
    whole, stranger = IALS(WORLD, settings), USERS + 1
    prior = Prior(WORLD, settings)
    before = prior.users.numpy()
    likes = Pairs(np.array([1, stranger, stranger]), np.array([4, 7, 2]))
    prior.remember(likes)
    after = prior.users.numpy()
    np.testing.assert_array_equal(after[:stranger], before[:stranger])
    x = factors_of(WORLD, prior.videos.numpy()[1:-1], settings, liked=[6, 1])
    np.testing.assert_allclose(after[stranger], prior.weight * x, rtol=1e-3)
    assert not whole.users[stranger].any()


def test_what_such_a_user_skipped_weighs_as_impressions_do() -> None:
    prior, stranger = Prior(WORLD, PRIOR), USERS + 1
    liked = Pairs(np.array([stranger], np.int32), np.array([7], np.int32))
    skipped = Pairs(np.array([1, stranger], np.int32), np.array([5, 15], np.int32))
    before = prior.users.numpy()
    prior.remember(liked, skipped)
    y = prior.videos.numpy()[1:-1]
    x = factors_of(WORLD, y, PRIOR, liked=[6], skipped=[14])
    found = prior.users.numpy()
    np.testing.assert_allclose(found[stranger], prior.weight * x, rtol=1e-3)
    np.testing.assert_array_equal(found[:stranger], before[:stranger])


class Saved(NamedTuple):
    model: UVCAN
    signatures: Any


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    model = fit(WORLD, CONFIG)
    folder = tmp_path_factory.mktemp("saved") / "1"
    export(model, WORLD, None, CONFIG, folder)
    return Saved(model, tf.saved_model.load(str(folder)).signatures)


def example(**values: list[str]) -> tf.Tensor:
    features = {
        name: tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[v.encode() for v in value])
        )
        for name, value in values.items()
    }
    row = tf.train.Example(features=tf.train.Features(feature=features))
    return tf.constant([row.SerializeToString()])


def test_the_saved_model_recommends_with_the_prior(saved: Saved) -> None:
    none = tf.zeros([0, 0], tf.string)
    answer = saved.signatures["recommend"](
        user_id=tf.constant(["u0"]),
        k=tf.constant([5]),
        exclude_video_ids=none,
        candidate_video_ids=none,
    )
    scores = saved.model.scorer().scores(np.array([1], np.int32))[0]
    scores[WORLD.train.video[WORLD.train.user == 1] - 1] = -np.inf
    best = np.argsort(-scores)[:5]
    assert list(answer["video_ids"].numpy()[0]) == [f"v{i}".encode() for i in best]
    probability = 1 / (1 + np.exp(-scores[best]))
    np.testing.assert_allclose(answer["score"][0], probability, atol=1e-5)


@pytest.mark.parametrize("user", ["u0", f"u{USERS}", "nobody"])
def test_an_example_scores_as_rank_does(saved: Saved, user: str) -> None:
    scored = saved.signatures["serving_default"](
        examples=example(user_id=[user], video_id=["v3"])
    )
    ranked = saved.signatures["rank"](
        user_id=tf.constant([user]), video_ids=tf.constant([["v3"]])
    )
    np.testing.assert_allclose(scored["score"], ranked["score"][0], atol=1e-6)


@pytest.mark.parametrize("without", [True, False])
def test_skipped_impressions_are_recommended_as_the_config_says(
    tmp_path: Path, without: bool
) -> None:
    config = dataclasses.replace(
        CONFIG, recommendation=RecommendationConfig(without_skipped_impressions=without)
    )
    export(untrained(config), WORLD, None, config, tmp_path / "1")
    none = tf.zeros([0, 0], tf.string)
    answer = tf.saved_model.load(str(tmp_path / "1")).signatures["recommend"](
        user_id=tf.constant(["u0"]),
        k=tf.constant([VIDEOS]),
        exclude_video_ids=none,
        candidate_video_ids=none,
    )
    found = set(answer["video_ids"].numpy()[0])
    skipped = {WORLD.videos.ids[video - 1].encode() for video in (14, 20)}
    assert found & skipped == (set() if without else skipped)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """A model whose prior knows attributes; user 47 and video 27 have no pair."""
    world = with_attributes(dataclasses.replace(WORLD, impressions=NO_PAIRS))
    config = dataclasses.replace(
        CONFIG, prior=dataclasses.replace(PRIOR, attribute_ridge=1.0)
    )
    model = fit(world, config)
    folder = tmp_path_factory.mktemp("told") / "1"
    export(model, world, None, config, folder)
    return Saved(model, tf.saved_model.load(str(folder)).signatures)


def test_whoever_is_new_is_rated_as_one_of_the_table_with_the_same_attributes(
    told: Saved,
) -> None:
    of_table = told.model.scorer().scores(np.array([USERS + 1], np.int32))[0]
    videos = tf.constant([[f"v{i}" for i in range(VIDEOS)]])
    ranked = told.signatures["rank_by_attributes"](
        user_id=tf.constant(["nobody"]),
        video_ids=videos,
        city=tf.constant(["city2"]),
    )
    expected = 1 / (1 + np.exp(-of_table[:VIDEOS]))
    np.testing.assert_allclose(ranked["score"][0], expected, atol=1e-5)
    scored = told.signatures["serving_default"](
        examples=example(
            user_id=["nobody"], city=["city2"], video_id=["v3"], author=["author1"]
        )
    )
    np.testing.assert_allclose(scored["score"], expected[3:4], atol=1e-5)
    assert np.mean(expected[VIDEOS // 2 :]) > np.mean(expected[: VIDEOS // 2])


def test_a_new_video_scores_as_one_of_the_table_by_the_same_author(told: Saved) -> None:
    def score(video: str) -> Any:
        row = example(user_id=["u3"], video_id=[video], author=["author4"])
        return told.signatures["serving_default"](examples=row)["score"]

    np.testing.assert_allclose(score("new"), score(f"v{VIDEOS}"), atol=1e-6)


def test_the_evaluator_ranks_skipped_videos_last_among_the_same_rivals(
    tmp_path: Path,
) -> None:
    whole = WORLD.train + WORLD.test
    observed = set(zip(whole.user.tolist(), whole.video.tolist(), strict=True))
    skipped = [(u, v) for u in (1, 2, 5) for v in range(1, VIDEOS + 1)]
    shown = Pairs(*np.array([p for p in skipped if p not in observed], np.int32).T)
    world = dataclasses.replace(WORLD, impressions=shown.where(shown.video % 2 == 0))
    model = UVCAN(world, CONFIG)
    model((tf.constant([1]), tf.constant([[1]])))
    export(model, world, None, CONFIG, tmp_path / "1")
    rows = []
    for user, video in zip(WORLD.test.user, WORLD.test.video, strict=True):
        held_out = [f"v{v - 1}" for v in WORLD.test.video[WORLD.test.user == user]]
        rows += [
            example(
                user_id=[f"u{user - 1}"],
                video_id=[f"v{video - 1}"],
                **{names.HELD_OUT: held_out},
            )
        ]
    signatures = tf.saved_model.load(str(tmp_path / "1")).signatures
    found = signatures["evaluate"](examples=tf.concat(rows, axis=0))
    last, as_others = (
        rank_pairs(scorer, world, CONFIG.evaluation, (SAMPLED,)).by_protocol[SAMPLED]
        for scorer in (model.scorer(), Catalogue(model))
    )
    rank, rivals = last
    np.testing.assert_allclose(found[names.SAMPLED_RANK], rank)
    np.testing.assert_allclose(found[names.AUC], metrics.auc(rank, rivals), rtol=1e-6)
    assert rank.sum() < as_others[0].sum()
    np.testing.assert_array_equal(rivals, as_others[1])
