"""Ranking metrics as functions of a rank; ranks start at 1, ties take the middle.

Shapes: P held-out pairs.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from uvcan_tf.errors import TrainingError

FloatArray = npt.NDArray[np.float64]


def middle_rank(greater: FloatArray, equal: FloatArray) -> FloatArray:
    """1 + the rivals scored higher + half of those scored the same."""
    return 1.0 + greater + 0.5 * equal


def hit_ratio(rank: FloatArray, k: int) -> FloatArray:
    """HR@k of each pair: 1 where it is among the first k (section 5.2)."""
    return (rank <= k).astype(np.float64)


def ndcg(rank: FloatArray, k: int) -> FloatArray:
    """NDCG@k of each pair, its only relevant video: 1 / log2(rank + 1), 0 below k."""
    return np.where(rank <= k, 1.0 / np.log2(rank + 1.0), 0.0)


def reciprocal_rank(rank: FloatArray) -> FloatArray:
    """1 / rank; its mean is the MRR."""
    return 1.0 / rank


def auc(rank: FloatArray, rivals: FloatArray) -> FloatArray:
    """Share of the rivals below the pair, ties counting half; 0.5 without rivals."""
    below = 1.0 - (rank - 1.0) / np.maximum(rivals, 1)
    return np.where(rivals > 0, below, 0.5)


def recall(
    rank: FloatArray, user: npt.NDArray[np.int32], k: int
) -> tuple[npt.NDArray[np.int32], FloatArray]:
    """Recall@k of each user: the share of the user's held-out videos in the first k.

    Returns:
      The users, ascending, and the recall of each.
    """
    users, inverse = np.unique(user, return_inverse=True)
    hits = np.bincount(inverse, weights=hit_ratio(rank, k))
    return users, hits / np.bincount(inverse)


def summary(
    rank: FloatArray,
    rivals: FloatArray,
    user: npt.NDArray[np.int32],
    cutoffs: Iterable[int],
) -> dict[str, float]:
    """The means of all metrics; HR, NDCG, MRR and AUC over pairs, recall over users.

    A pair without rivals ranks first whatever the scores, so it does not count.

    Raises:
      TrainingError: no pair counts.
    """
    if not len(rank):
        raise TrainingError(
            "There should be at least one held-out pair. Received: none."
        )
    counts = rivals > 0
    if not counts.any():
        raise TrainingError(
            "At least one held-out pair should have a video to be ranked against. "
            f"Received: none of {len(rank)} has, as their users like every video."
        )
    rank, rivals, user = rank[counts], rivals[counts], user[counts]
    means: dict[str, float] = {}
    for k in cutoffs:
        means[f"hr@{k}"] = float(hit_ratio(rank, k).mean())
        means[f"ndcg@{k}"] = float(ndcg(rank, k).mean())
        means[f"recall@{k}"] = float(recall(rank, user, k)[1].mean())
    means["mrr"] = float(reciprocal_rank(rank).mean())
    means["auc"] = float(auc(rank, rivals).mean())
    return means
