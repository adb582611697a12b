"""How much a prior counts: by pairs that were set apart for it, ranked by hand."""

from __future__ import annotations

import dataclasses
import json
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from tests.uvcan_tf.baselines.communities import USERS, VIDEOS, with_attributes
from tests.uvcan_tf.factorization.test_prior import CONFIG, PRIOR, SHOWN, WORLD
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import Config, HistorySettings, ModelConfig
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.evaluation.ranking import FULL, rank_pairs
from uvcan_tf.evaluation.scorers import SkippedImpressionsLast
from uvcan_tf.factorization.ials import IALS
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.fit import MONITOR, fit
from uvcan_tf.training.validation import Validation, held_out
from uvcan_tf.training.weighing import PRIOR_SHARES, Weighing, weigh_prior

TOLD = dataclasses.replace(PRIOR, attribute_ridge=0.5)  # of attributes


def test_the_prior_is_weighed_by_users_who_did_not_stop_the_network() -> None:
    training = dataclasses.replace(CONFIG.training, validation_users=5)
    config = dataclasses.replace(CONFIG, training=training)
    part = held_out(WORLD, config)
    model = UVCAN(part, config)
    stopping, weighing = Validation(model, part, config).pairs, part.test
    assert len(np.unique(stopping.user)) == 5
    assert len(np.unique(weighing.user)) == 25
    alone = dataclasses.replace(config, prior=None)
    part = held_out(WORLD, alone)
    assert len(np.unique(part.test.user)) == 5
    assert len(Validation(UVCAN(part, alone), part, alone).pairs) == len(part.test)


def test_the_prior_counts_as_much_as_ranks_the_pairs_set_apart_for_it_best(
    tmp_path: Path,
) -> None:
    """Each weight ranked by itself; likes were set apart from both parts."""
    training = dataclasses.replace(CONFIG.training, epochs=8, learning_rate=0.01)
    network = ModelConfig(factors=8, hops=1, initial_stddev=0.3)
    config = dataclasses.replace(CONFIG, training=training, model=network)
    told: list[str] = []
    model = fit(WORLD, config, tmp_path, told.append)
    part = held_out(WORLD, config)
    stopping = Validation(model, part, config).pairs.user
    rest = part.test.where(~np.isin(part.test.user, stopping))
    assert len(rest)
    part = dataclasses.replace(part, test=rest)
    again = UVCAN(part, config)
    again((tf.constant([1]), tf.constant([[1]])))
    again.network.set_weights(model.network.get_weights())
    prior = again.tables.prior or pytest.fail("no prior")
    prior.weigh(0.0)
    users = np.unique(part.test.user)
    own = Catalogue(again).scores(users)
    products = prior.products(users)
    even = own.std(axis=1).mean() / products.std(axis=1).mean()
    found = {}
    for share in PRIOR_SHARES:
        prior.weigh(share * even)
        scorer = SkippedImpressionsLast(Catalogue(again), part)
        ranks = rank_pairs(scorer, part, config.evaluation, (FULL,))
        rank = ranks.by_protocol[FULL].rank
        found[share] = np.where(rank <= 100, 1 / np.log2(rank + 1), 0).mean()
    best = max(found, key=lambda share: found[share])
    assert model.tables.prior.weight == pytest.approx(best * even, rel=1e-2)
    content = json.loads((tmp_path / "training.json").read_text())
    del content["prior"]["of_strangers"]
    assert content["prior"] == pytest.approx(
        {
            "weight": model.tables.prior.weight,
            MONITOR: found[best],
            "network_alone": found[0.0],
            "prior_alone": found[PRIOR_SHARES[-1]],
            "share": best,
        }
    )
    assert found[best] > min(found.values())
    assert content[MONITOR] == pytest.approx(found[best])
    weight = model.tables.prior.weight
    assert told[-1].startswith(f"The prior counts {weight:.2f} times: validation")


def weighing_of(world: Dataset, config: Config) -> Weighing:
    """Of a model whose every weight counts."""
    part = world.hold_out_validation(0.2, 1, config.evaluation, 20)
    model = UVCAN(part, config)
    model((tf.constant([1]), tf.constant([[1]])))
    draw = np.random.default_rng(3)
    network = model.network
    network.set_weights([draw.normal(0, 0.3, w.shape) for w in network.weights])
    prior = model.tables.prior or pytest.fail("no prior")
    prior.weigh(0.0)
    return Weighing(model, prior, Validation(model, part, config))


def test_the_scale_of_the_factors_does_not_matter() -> None:
    """Of a million videos x·y is nearly 0 for most, and spreads little."""
    weighing = weighing_of(WORLD, CONFIG)
    first = weighing.known(), weighing.strangers()
    weighing.prior._x = weighing.prior._x * np.float32(2**-16)
    again = weighing.known(), weighing.strangers()
    for before, after in zip(first, again, strict=True):
        assert after.weight == pytest.approx(before.weight * 2**16, rel=1e-4)
        assert after[1:] == pytest.approx(before[1:])


def ndcg_by_hand(scores: npt.NDArray[np.float32], part: Dataset, pairs: Pairs) -> float:
    """NDCG@100 of pairs, by scores [U, V] of their users, ascending."""
    shown = {(u, v) for u, v in zip(SHOWN.user, SHOWN.video, strict=True)}
    liked = {(u, v) for u, v in zip(part.train.user, part.train.video, strict=True)}
    of_user = dict(zip(np.unique(pairs.user), scores, strict=True))
    gains = []
    for u, v in zip(pairs.user, pairs.video, strict=True):
        others = [
            of_user[u][w - 1] if (u, w) not in shown else -np.inf
            for w in range(1, VIDEOS + 2)
            if w != v and (u, w) not in liked
        ]
        own = of_user[u][v - 1] if (u, v) not in shown else -np.inf
        ties = sum(other == own for other in others)
        rank = 1 + sum(other > own for other in others) + ties / 2
        gains.append(1 / np.log2(rank + 1) if rank <= 100 else 0)
    return float(np.mean(gains))


@pytest.mark.parametrize("history", [None, HistorySettings(user_ids=False)])
def test_for_strangers_the_prior_is_weighed_without_ids_and_likes(
    history: HistorySettings | None,
) -> None:
    """By a brute-force ranking of the users' unknown twins."""
    config = dataclasses.replace(CONFIG, prior=TOLD, history=history)
    weighing = weighing_of(with_attributes(WORLD), config)
    model, part = weighing.model, weighing.model.dataset
    before = Catalogue(model).scores(np.arange(USERS + 2, dtype=np.int32))
    found = weighing.strangers()
    after = Catalogue(model).scores(np.arange(USERS + 2, dtype=np.int32))
    np.testing.assert_array_equal(after, before)

    pairs = weighing.validation.some_weighing
    users = np.unique(pairs.user)
    of_city = [scores_of_a_stranger(weighing, config, city) for city in (1, 2)]
    own = np.stack(of_city)[part.users.columns["city"][users] - 1]
    whole = IALS(part, TOLD)
    assert whole.regressions is not None
    products = whole.regressions[0].predicted()[users - 1] @ whole.videos.T
    even = own.std(axis=1).mean() / products.std(axis=1).mean()
    means = {
        share: ndcg_by_hand(own + share * even * products, part, pairs)
        for share in PRIOR_SHARES
    }
    best = max(PRIOR_SHARES[1:], key=lambda share: means[share])
    assert found.weight == pytest.approx(best * even, rel=1e-3)
    assert found[1:] == pytest.approx(
        (means[best], means[0.0], means[PRIOR_SHARES[-1]], best), rel=1e-3
    )


def scores_of_a_stranger(
    weighing: Weighing, config: Config, city: int
) -> npt.NDArray[np.float32]:
    """Of the last user, who likes nothing and moves to that city; without a prior."""
    dataset = weighing.model.dataset
    cities = dataset.users.columns["city"].copy()
    cities[USERS + 1] = city
    users = dataclasses.replace(dataset.users, columns={"city": cities})
    model = twin(weighing, dataclasses.replace(dataset, users=users), config)
    return Catalogue(model).scores(np.array([USERS + 1], np.int32))[0]


def twin(weighing: Weighing, dataset: Dataset, config: Config) -> UVCAN:
    """A model of another dataset with the same weights, whose prior does not count."""
    model = UVCAN(dataset, config)
    model((tf.constant([1]), tf.constant([[1]])))
    model.network.set_weights(weighing.model.network.get_weights())
    assert model.tables.prior is not None
    model.tables.prior.weigh(0.0)
    return model


@pytest.mark.parametrize(
    "history", [None, HistorySettings(user_ids=False, attribute_ridge=0.7)]
)
def test_new_videos_spread_as_ranks_all_videos_best_that_are_rated_as_new(
    history: HistorySettings | None,
) -> None:
    """By a brute-force ranking of the videos' unknown twins."""
    config = dataclasses.replace(CONFIG, prior=TOLD, history=history)
    weighing = weighing_of(with_attributes(WORLD), config)
    model, part = weighing.model, weighing.model.dataset
    rows = np.arange(USERS + 2, dtype=np.int32)
    model.as_new_videos(False)  # which learns what attributes tell
    before = Catalogue(model).scores(rows)
    pairs = weighing.validation.some_weighing
    users = np.unique(pairs.user)
    of_author = [scores_of_a_video(weighing, config, users, n) for n in range(1, 5)]
    author = part.videos.columns["author"][1:-1] - 1
    own = np.stack(of_author, axis=1)[:, author]
    whole = IALS(part, TOLD)
    assert whole.regressions is not None
    of_prior = whole.users[users] @ whole.regressions[1].predicted().T
    of_likes = np.zeros_like(own)
    if history is not None:
        h = model.user_representation(tf.constant(users)).history[0].numpy()[:, :-1]
        of_likes = h @ regressed(model, author, ridge=0.7).T
    both = own + of_likes
    weight = 0.4 * both.std(axis=1).mean() / of_prior.std(axis=1).mean()
    found = weighing.new_videos(weight)
    after = Catalogue(model).scores(rows)
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-4)
    of_prior *= weight
    means = {
        (further, product_further): ndcg_by_hand(
            own + further * of_prior + product_further * of_likes, part, pairs
        )
        for further, product_further in product((1.0, 2.0, 4.0), (1.0, 0.5, 0.25))
    }
    best = max(means, key=lambda spreads: round(means[spreads], 6))
    assert len({round(mean, 6) for mean in means.values()}) > 1
    assert found == pytest.approx((*best, means[best], means[1.0, 1.0]), rel=1e-3)


def scores_of_a_video(
    weighing: Weighing, config: Config, users: npt.NDArray[np.int32], author: int
) -> npt.NDArray[np.float32]:
    """[U] by the network alone, of the last video by that author, whom nobody likes."""
    dataset = weighing.model.dataset
    authors = dataset.videos.columns["author"].copy()
    authors[VIDEOS + 1] = author
    videos = dataclasses.replace(dataset.videos, columns={"author": authors})
    model = twin(weighing, dataclasses.replace(dataset, videos=videos), config)
    user = model.user_representation(tf.constant(users)[:, None])
    row = tf.fill([len(users), 1], np.int32(VIDEOS + 1))
    video = model.video_representation(row)
    user, video = user._replace(history=()), video._replace(history=())
    scores: npt.NDArray[np.float32] = model.logits_of(user, video).numpy()[:, 0]
    return scores


def regressed(
    model: UVCAN, author: npt.NDArray[np.int32], ridge: float
) -> npt.NDArray[np.float32]:
    """o of all videos by their authors, less the mean: a linear solve."""
    o = model.network.liked_videos.outputs.numpy()[1:-1]
    likes = np.bincount(model.dataset.train.video, minlength=len(o) + 1)[1:]
    known, X = likes > 0, np.eye(4)[author]
    c = np.sqrt(likes[known])[:, None] / np.sqrt(likes[known]).mean()
    mean = (c * o[known]).sum(axis=0) / c.sum()
    gram = X[known].T @ (c * X[known]) + ridge * np.eye(4)
    found: npt.NDArray[np.float32] = X @ np.linalg.solve(
        gram, X[known].T @ (c * (o[known] - mean))
    )
    return found


def test_new_videos_are_not_weighed_where_their_attributes_tell_nothing() -> None:
    model = weighing_of(with_attributes(WORLD), CONFIG).model
    validation = Validation(model, model.dataset, CONFIG)
    told: list[str] = []
    found = weigh_prior(model, validation, Team(CONFIG.training), told.append)
    assert found is not None
    assert "of_new_videos" not in found
    assert len(told) == 1
