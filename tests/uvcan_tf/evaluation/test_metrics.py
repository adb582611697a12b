"""Each metric against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from uvcan_tf.evaluation import metrics

RANK = np.array([1.0, 2.0, 10.0, 10.5, 11.0])


def test_a_tie_takes_the_middle_rank() -> None:
    greater, equal = np.array([0.0, 0.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 2.0])
    np.testing.assert_array_equal(metrics.middle_rank(greater, equal), [1, 1.5, 4, 6])


def test_a_hit_is_a_rank_of_at_most_k() -> None:
    np.testing.assert_array_equal(metrics.hit_ratio(RANK, 10), [1, 1, 1, 0, 0])
    np.testing.assert_array_equal(metrics.hit_ratio(RANK, 1), [1, 0, 0, 0, 0])


def test_ndcg_discounts_by_the_logarithm_and_is_zero_below_k() -> None:
    expected = [1.0, 0.6309297535714575, 0.2890648263178879, 0.0, 0.0]
    np.testing.assert_allclose(metrics.ndcg(RANK, 10), expected, rtol=1e-12)
    assert metrics.ndcg(np.array([10.5]), 11)[0] == pytest.approx(
        math.log(2) / math.log(11.5)
    )


def test_the_reciprocal_rank_is_one_over_the_rank() -> None:
    expected = [1, 0.5, 0.1, 2 / 21, 1 / 11]
    np.testing.assert_allclose(metrics.reciprocal_rank(RANK), expected)


def test_auc_is_the_share_of_rivals_below_with_ties_as_halves() -> None:
    rank = np.array([1.0, 11.0, 6.0, 10.5, 1.5])
    rivals = np.array([10.0, 10.0, 10.0, 19.0, 1.0])
    np.testing.assert_allclose(metrics.auc(rank, rivals), [1, 0, 0.5, 0.5, 0.5])


def test_auc_without_rivals_is_a_half() -> None:
    assert metrics.auc(np.array([1.0]), np.array([0.0]))[0] == 0.5


def test_recall_is_the_share_of_each_users_held_out_videos() -> None:
    user = np.array([7, 3, 7, 7, 3], np.int32)
    users, recall = metrics.recall(RANK, user, 10)
    assert users.tolist() == [3, 7]
    np.testing.assert_allclose(recall, [1 / 2, 2 / 3])


def test_the_summary_averages_pairs_and_users() -> None:
    user = np.array([7, 3, 7, 7, 3], np.int32)
    means = metrics.summary(RANK, np.full(5, 20.0), user, (1, 10))
    assert means == pytest.approx(
        {
            "hr@1": 1 / 5,
            "ndcg@1": 1 / 5,
            "recall@1": 1 / 6,
            "hr@10": 3 / 5,
            "ndcg@10": (1 + 1 / math.log2(3) + 1 / math.log2(11)) / 5,
            "recall@10": (1 / 2 + 2 / 3) / 2,
            "mrr": (1 + 1 / 2 + 1 / 10 + 1 / 10.5 + 1 / 11) / 5,
            "auc": 1 - (0 + 1 + 9 + 9.5 + 10) / 20 / 5,
        }
    )


def test_nothing_held_out_is_refused() -> None:
    none = np.empty(0)
    with pytest.raises(ValueError, match="at least one held-out pair. Received: none"):
        metrics.summary(none, none, none.astype(np.int32), (10,))
