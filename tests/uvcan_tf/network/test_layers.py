"""One contract for every layer.

Shapes: B=2, C=3, F=5 facets, K=7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from tests.uvcan_tf.network import test_co_attention as paper
from uvcan_tf.network.co_attention import CoAttentionNetwork
from uvcan_tf.network.facets import Facets
from uvcan_tf.network.liked_videos import LikedVideos, Likes
from uvcan_tf.network.rating import Rating
from uvcan_tf.network.side_embedding import SideEmbedding
from uvcan_tf.network.stacked_attention import StackedAttention

B, C, F, K = 2, 3, 5, 7
Layer = tf.keras.layers.Layer


def noise(*shape: int) -> tf.Tensor:
    return tf.random.stateless_normal(shape, seed=[7, len(shape)])


class Case(NamedTuple):
    """How to make a layer from a seed, how to call it, and what comes out."""

    make: Callable[[int], Layer]
    call: Callable[[Layer], tf.Tensor]
    shape: tuple[int, ...]


def _attend(layer: Layer) -> tf.Tensor:
    X = noise(B, C, F, K)
    facets = Facets(X, tf.ones([B, C, F], tf.bool))
    q = noise(B, C, K) if layer.guided else None
    return layer(facets, layer.project(X), q).x


def _rate(layer: Layer) -> tf.Tensor:
    h_u, h_v = layer.user_part(noise(B, 1, K)), layer.video_part(noise(B, C, K))
    return layer(noise(B, C, K), noise(B, C, K) + 1, h_u, h_v)


def _like(layer: Layer) -> tf.Tensor:
    h = layer(Likes(tf.constant([0, 1, 1]), tf.constant([2, 4, 1])), B)
    videos = layer.video_factors(tf.range(C))
    return tf.matmul(layer.user_factors(h), videos, transpose_b=True)


def _pair(layer: Layer) -> tf.Tensor:
    return layer(paper.tensors(paper.USERS), paper.tensors(paper.VIDEOS)).logits


CASES = {
    "embedding": Case(
        lambda seed: SideEmbedding(paper.VIDEO, K, seed=seed),
        lambda layer: layer(paper.tensors(paper.VIDEOS)).X,
        (B, C, F, K),
    ),
    "attention": Case(
        lambda seed: StackedAttention(3, F, K, seed=seed), _attend, (B, C, K)
    ),
    "summary": Case(
        lambda seed: StackedAttention(1, F, K, guided=False, seed=seed),
        _attend,
        (B, C, K),
    ),
    "liked videos": Case(
        lambda seed: LikedVideos(F, K, seed=seed),
        _like,
        (B, C),
    ),
    "rating": Case(lambda seed: Rating((11, 5, 3), K, seed=seed), _rate, (B, C)),
    "network": Case(
        lambda seed: CoAttentionNetwork(
            paper.USER, paper.VIDEO, K, 2, (11, 5, 3), seed=seed
        ),
        _pair,
        (B, C),
    ),
    "video_att": Case(
        lambda seed: CoAttentionNetwork(
            paper.USER, paper.VIDEO, K, 3, (5, 3), True, seed=seed
        ),
        _pair,
        (B, C),
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def randomize(layer: Layer) -> None:
    rng = np.random.default_rng(5)
    layer.set_weights([rng.normal(0, 0.5, w.shape) for w in layer.weights])


def test_output_has_the_declared_shape(case: Case) -> None:
    assert case.call(case.make(1)).shape == case.shape


def test_a_layer_made_from_its_config_computes_the_same(case: Case) -> None:
    layer = case.make(1)
    case.call(layer)
    randomize(layer)
    twin = type(layer).from_config(layer.get_config())
    case.call(twin)
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(case.call(twin), case.call(layer))


def test_the_config_survives_keras_serialization(case: Case) -> None:
    layer = case.make(1)
    content = tf.keras.layers.serialize(layer)
    assert tf.keras.layers.deserialize(content).get_config() == layer.get_config()


def test_gradients_reach_every_weight(case: Case) -> None:
    layer = case.make(1)
    case.call(layer)
    randomize(layer)
    with tf.GradientTape() as tape:
        output = tf.reduce_sum(case.call(layer) ** 2)
    gradients = tape.gradient(output, layer.trainable_variables)
    dead = [
        variable.name
        for variable, gradient in zip(layer.trainable_variables, gradients, strict=True)
        if gradient is None or not np.any(tf.convert_to_tensor(gradient))
    ]
    assert dead == []


def test_the_seed_decides_the_initial_weights(case: Case) -> None:
    layers = [case.make(seed) for seed in (1, 1, 2)]
    for layer in layers:
        case.call(layer)
    one, same, other = ([w.numpy() for w in layer.weights] for layer in layers)
    drawn = [a for a in one if a.any()]
    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    assert drawn
    assert all((a != b).any() for a, b in zip(one, other, strict=True) if a.any())


def test_no_two_weights_start_alike(case: Case) -> None:
    layer = case.make(1)
    case.call(layer)
    starts = [tuple(w.numpy().ravel()[:3]) for w in layer.weights if w.numpy().any()]
    assert len(set(starts)) == len(starts)
