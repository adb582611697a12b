"""ItemPop knows how often a video was liked in training, and nothing else."""

from __future__ import annotations

import numpy as np

from uvcan_tf.baselines.popularity import ItemPop
from uvcan_tf.data.dataset import Dataset, Pairs, Side
from uvcan_tf.features import Features


def pairs(*rows: tuple[int, int]) -> Pairs:
    user, video = np.array(rows, np.int32).T
    return Pairs(user, video)


DATASET = Dataset(
    features=Features(user=(), video=()),
    users=Side(np.array(["a", "b", "c"], object), {}),
    videos=Side(np.array(list("pqrst"), object), {}),
    vocabularies={},
    train=pairs((1, 2), (2, 2), (3, 2), (1, 4), (2, 4), (3, 1)),
    test=pairs((1, 5), (2, 5)),
    impressions=pairs((1, 3), (2, 3)),
)


def test_a_score_is_the_number_of_training_likes() -> None:
    scores = ItemPop(DATASET).scores(np.array([2], np.int32))
    np.testing.assert_array_equal(scores, [[1, 3, 0, 2, 0]])


def test_every_user_gets_the_same_scores_also_an_unknown_one() -> None:
    scores = ItemPop(DATASET).scores(np.array([1, 3, 4], np.int32))
    assert scores.shape == (3, 5)
    assert scores.dtype == np.float32
    assert (scores == scores[0]).all()
