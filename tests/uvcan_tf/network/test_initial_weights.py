"""Where training starts from (paper, section 4.1.3)."""

from __future__ import annotations

import tensorflow as tf

from tests.uvcan_tf.network import test_co_attention as paper
from uvcan_tf.network.co_attention import CoAttentionNetwork
from uvcan_tf.network.facets import CATEGORICAL, FacetSpec


def test_initial_weights_follow_the_gaussian_of_the_paper() -> None:
    side = [FacetSpec("id", CATEGORICAL, 5000)]
    network = CoAttentionNetwork(side, side, 64, hidden=(128, 64, 32))
    column = {"id": tf.constant([[1]])}
    network(column, column)
    for weight in network.weights:
        value = weight.numpy()
        if value.size < 2000:
            continue
        assert abs(value.mean()) < 0.01, weight.name
        assert abs(value.std() - 0.1) < 0.01, weight.name


def test_biases_start_at_zero() -> None:
    layer = CoAttentionNetwork(paper.USER, paper.VIDEO, 7, 2, (11, 5, 3), seed=1)
    layer(paper.tensors(paper.USERS), paper.tensors(paper.VIDEOS))
    names = ("b_1", "b_2", "bias")
    biases = [
        weight.numpy()
        for weight in layer.weights
        if weight.name.split("/")[-1].split(":")[0] in names
    ]
    assert len(biases) == 1 + 2 + 2 + 4  # summary, either attention, the MLP
    assert not any(bias.any() for bias in biases)
