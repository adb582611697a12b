"""Blocks of videos are rated as the loops of `oracle` rate each pair.

Shapes: B=2 users, C=3 videos.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from tests import oracle
from tests.uvcan_tf.network.test_co_attention import (
    USERS,
    VIDEOS,
    expected,
    network,
    tensors,
)
from uvcan_tf.catalogue.block_rating import BlockRating
from uvcan_tf.network.co_attention import CoAttentionNetwork


def logits(net: CoAttentionNetwork, b: int) -> np.ndarray:
    """Of user b with the videos that stand in row b."""
    rating = BlockRating(net)
    prepared = rating.prepared(net.user_representation(tensors(USERS)))
    video = net.video_representation(
        {name: c[b] for name, c in tensors(VIDEOS).items()}
    )
    user = tf.nest.map_structure(lambda part: part[b], prepared)
    return rating.logits(user, rating.block(video.facets, video.prior)).numpy()


def assert_as_the_oracle(
    net: CoAttentionNetwork, method: Callable[..., oracle.Rating]
) -> None:
    for b in range(2):
        wanted = [expected(net, b, c, method).logit for c in range(3)]
        np.testing.assert_allclose(logits(net, b), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("hops", [1, 2, 3, 4])
def test_a_block_is_rated_as_the_oracle_rates_its_pairs(hops: int) -> None:
    assert_as_the_oracle(network(hops), oracle.uvcan)


def test_video_att_is_rated_as_the_oracle_rates_it() -> None:
    assert_as_the_oracle(network(video_attention_only=True), oracle.video_att)


def test_a_block_is_rated_as_the_network_rates_it() -> None:
    net = network()
    rated = net(tensors(USERS), tensors(VIDEOS)).logits
    for b in range(2):
        np.testing.assert_allclose(logits(net, b), rated[b], rtol=1e-5, atol=1e-5)


def test_a_side_without_any_facet_is_rated_as_the_network_rates_it() -> None:
    net = network()
    nobody = {name: tf.zeros_like(c) for name, c in tensors(USERS).items()}
    nothing = {name: tf.zeros_like(c) for name, c in tensors(VIDEOS).items()}
    rating = BlockRating(net)
    user, video = net.user_representation(nobody), net.video_representation(nothing)
    prepared = tf.nest.map_structure(lambda part: part[0], rating.prepared(user))
    of_row = tf.nest.map_structure(lambda part: part[0], video)
    block = rating.block(of_row.facets, of_row.prior)
    np.testing.assert_allclose(
        rating.logits(prepared, block), net.rate(user, video).logits[0], atol=1e-5
    )
