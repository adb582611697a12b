"""Counts of arithmetic, by hand for a small network."""

from __future__ import annotations

from benchmarks import work
from tests import worlds
from uvcan_tf.config import Config, ModelConfig, TrainingConfig

# 3 user facets and 4 video facets, one of them a vector of 3; K=5, H=7.
CONFIG = Config(
    model=ModelConfig(factors=5, hops=2, hidden=(7, 3)),
    training=TrainingConfig(negatives=4),
)


def test_a_catalogue_pair_is_counted_by_hand() -> None:
    attention = 2 * 7 * 2 * 5
    guidance = 3 * 5 * 5
    mlp = 2 * 5 * 7 + 7 * 3 + 3
    pair = work.of_catalogue_pair(worlds.FEATURES, CONFIG)
    assert pair == (attention + guidance + mlp, 2 * 7 * 5)


def test_a_training_example_is_counted_by_hand() -> None:
    pair = work.of_catalogue_pair(worlds.FEATURES, CONFIG)
    video = 3 * 5 + 2 * 4 * 5 * 5 + 5 * 7
    user = 3 * 3 * 5 * 5 + 2 * 3 * 5 + 5 * 5 + 5 * 7
    example = work.of_training_example(worlds.FEATURES, CONFIG)
    assert example == (3 * (pair.multiply_adds + video + user / 5), pair.tanh + 3)
