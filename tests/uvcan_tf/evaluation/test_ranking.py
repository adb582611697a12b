"""Ranks against a double loop over pairs and rivals, ties and blocks included."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest

from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.dataset import Dataset, IntArray, Pairs, Side
from uvcan_tf.evaluation import ranking
from uvcan_tf.evaluation.ranking import FULL, SAMPLED, ScoreError, rank_pairs
from uvcan_tf.features import Features

USERS, VIDEOS = 11, 29
CONFIG = EvaluationConfig(sampled_negatives=7, seed=3)


class Table:
    """Scores from a matrix [USERS, VIDEOS]."""

    def __init__(self, matrix: npt.NDArray[np.float32]) -> None:
        self.matrix = matrix
        self.asked: list[int] = []

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        self.asked.append(len(users))
        return self.matrix[users - 1]


class Steps:
    def __init__(self) -> None:
        self.done = 0.0

    def advance(self, steps: float = 1) -> None:
        self.done += steps


def side(size: int) -> Side:
    return Side(np.arange(size).astype(str).astype(object), {})


def world() -> Dataset:
    """About a third of the pairs in training and a sixth held out, in random order."""
    random = np.random.default_rng(5)
    kind = random.choice(6, size=(USERS, VIDEOS))
    kind[6] = 5  # a user without any pair
    kind[2] = 0  # a user with two unobserved videos, fewer than the samples
    kind[2, [3, 13]] = 5
    kind[2, [7, 17]] = 2
    parts = []
    for wanted in (kind < 2, kind == 2):
        user, video = np.nonzero(wanted)
        order = random.permutation(len(user))
        parts.append(Pairs((user + 1).astype(np.int32), (video + 1).astype(np.int32)))
        parts[-1] = Pairs(parts[-1].user[order], parts[-1].video[order])
    return Dataset(Features((), ()), side(USERS), side(VIDEOS), {}, *parts)


DATASET = world()
MATRIX = np.random.default_rng(7).normal(size=(USERS, VIDEOS)).round(1)
SCORER = Table(MATRIX.astype(np.float32))


def liked(pairs: Pairs, user: int) -> set[int]:
    return {int(v) for u, v in zip(pairs.user, pairs.video, strict=True) if u == user}


def middle(user: int, video: int, rivals: set[int]) -> float:
    own, rank = SCORER.matrix[user - 1, video - 1], 1.0
    for rival in rivals:
        score = SCORER.matrix[user - 1, rival - 1]
        rank += 1.0 if score > own else 0.5 if score == own else 0.0
    return rank


def drawn(user: int, video: int) -> set[int]:
    """The pair's own candidates, asked for alone."""
    rivals, there = ranking.candidates_of(
        np.array([user]),
        np.array([video]),
        (DATASET.train + DATASET.test).by_user(USERS),
        VIDEOS,
        CONFIG,
    )
    return set(rivals[there].tolist())


def test_the_world_has_ties_and_users_in_mixed_order() -> None:
    ranks = rank_pairs(SCORER, DATASET, CONFIG, (FULL,)).by_protocol[FULL].rank
    assert (ranks % 1 == 0.5).any()
    assert (np.diff(DATASET.test.user) < 0).any()


@pytest.mark.parametrize("block", [1, VIDEOS, 3 * VIDEOS, 1 << 22])
def test_full_ranks_equal_a_double_loop(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "_SCORES_AT_ONCE", block)
    found = rank_pairs(SCORER, DATASET, CONFIG, (FULL,)).by_protocol[FULL]
    every = set(range(1, VIDEOS + 1))
    for i, (u, v) in enumerate(zip(DATASET.test.user, DATASET.test.video, strict=True)):
        rivals = every - liked(DATASET.train, u) - {int(v)}
        assert found.rank[i] == middle(u, v, rivals)
        assert found.rivals[i] == len(rivals)


@pytest.mark.parametrize("block", [1, 3 * VIDEOS, 1 << 22])
def test_sampled_ranks_equal_a_double_loop(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "_SCORES_AT_ONCE", block)
    monkeypatch.setattr(ranking, "_RIVALS_AT_ONCE", max(1, block // VIDEOS) * 7)
    found = rank_pairs(SCORER, DATASET, CONFIG, (SAMPLED,)).by_protocol[SAMPLED]
    for i, (u, v) in enumerate(zip(DATASET.test.user, DATASET.test.video, strict=True)):
        rivals = drawn(int(u), int(v))
        assert found.rank[i] == middle(u, v, rivals)
        assert found.rivals[i] == len(rivals) == (2 if u == 3 else 7)


def test_sampled_rivals_are_neither_trained_nor_held_out() -> None:
    for u, v in zip(DATASET.test.user, DATASET.test.video, strict=True):
        assert not drawn(u, v) & (liked(DATASET.train, u) | liked(DATASET.test, u))


def small(train: Pairs, test: Pairs) -> Dataset:
    return dataclasses.replace(DATASET, users=side(1), train=train, test=test)


def pairs(*videos: int) -> Pairs:
    return Pairs(np.ones(len(videos), np.int32), np.array(videos, np.int32))


ASCENDING = Table(np.arange(1, VIDEOS + 1, dtype=np.float32)[None, :])


def test_training_videos_are_left_out_of_both_protocols() -> None:
    dataset = small(pairs(*range(11, VIDEOS + 1)), pairs(9))
    ranks = rank_pairs(ASCENDING, dataset, CONFIG).by_protocol
    assert ranks[FULL].rank[0] == 2  # below video 10 alone
    assert ranks[FULL].rivals[0] == 9
    assert ranks[SAMPLED].rank[0] <= 2


def test_other_held_out_videos_are_rivals_in_the_full_protocol_only() -> None:
    ranks = rank_pairs(ASCENDING, small(pairs(1), pairs(27, 29, 28)), CONFIG)
    np.testing.assert_array_equal(ranks.by_protocol[FULL].rank, [3, 1, 2])
    np.testing.assert_array_equal(ranks.by_protocol[SAMPLED].rank, [1, 1, 1])


def test_ranks_keep_the_order_of_the_held_out_pairs() -> None:
    order = np.random.default_rng(11).permutation(len(DATASET.test))
    test = Pairs(DATASET.test.user[order], DATASET.test.video[order])
    there = rank_pairs(SCORER, dataclasses.replace(DATASET, test=test), CONFIG)
    here = rank_pairs(SCORER, DATASET, CONFIG)
    assert there.pairs is test
    for protocol in (SAMPLED, FULL):
        np.testing.assert_array_equal(
            there.by_protocol[protocol], np.array(here.by_protocol[protocol])[:, order]
        )


def test_a_constant_scorer_is_in_the_middle() -> None:
    flat = Table(np.zeros([USERS, VIDEOS], np.float32))
    summary = rank_pairs(flat, DATASET, CONFIG).summary((10,))
    assert summary[FULL]["auc"] == summary[SAMPLED]["auc"] == 0.5


def test_memory_stays_flat_and_progress_counts_users(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranking, "_SCORES_AT_ONCE", 3 * VIDEOS)
    scorer, steps = Table(SCORER.matrix), Steps()
    rank_pairs(scorer, DATASET, CONFIG, progress=steps)
    assert max(scorer.asked) == 3
    assert sum(scorer.asked) == steps.done == len(set(DATASET.test.user.tolist()))


def test_the_summary_has_the_metrics_of_each_protocol() -> None:
    summary = rank_pairs(SCORER, DATASET, CONFIG).summary((1, 10))
    names = {f"{m}@{k}" for m in ("hr", "ndcg", "recall") for k in (1, 10)}
    assert {name: set(means) for name, means in summary.items()} == {
        SAMPLED: names | {"mrr", "auc"},
        FULL: names | {"mrr", "auc"},
    }


def test_a_score_that_is_not_a_number_is_refused_with_its_user() -> None:
    matrix = SCORER.matrix.copy()
    user = int(DATASET.test.user.max())
    matrix[user - 1, 4] = np.nan
    with pytest.raises(ScoreError, match=f"Received: NaN for user row {user}"):
        rank_pairs(Table(matrix), DATASET, CONFIG)


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(ScoreError, match=r"should be \[\d+, 29\]. Received: \(\d+, 28"):
        rank_pairs(Table(SCORER.matrix[:, 1:]), DATASET, CONFIG)


def test_some_users_keep_all_their_pairs() -> None:
    test = DATASET.test
    some = test.of_some_users(3, 5)
    chosen = set(some.user.tolist())
    assert len(chosen) == 3
    kept = [i for i, user in enumerate(test.user) if user in chosen]
    np.testing.assert_array_equal(some.video, test.video[kept])
    assert test.of_some_users(USERS, 5) is test


def test_the_seed_chooses_the_users() -> None:
    chosen = [set(DATASET.test.of_some_users(3, s).user) for s in range(9)]
    assert chosen[0] == set(DATASET.test.of_some_users(3, 0).user)
    assert any(other != chosen[0] for other in chosen[1:])
