"""Facets of rows: means of embeddings, projections of vectors, and what is absent."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from uvcan_tf.network.facets import (
    DENSE,
    MULTIVALUED,
    DistinctVectors,
    Facets,
    FacetSpec,
)
from uvcan_tf.network.side_embedding import SideEmbedding


def test_several_tags_are_the_mean_of_their_embeddings() -> None:
    facets = [FacetSpec("tags", MULTIVALUED, 3)]
    layer = SideEmbedding(facets, 2)
    layer({"tags": tf.constant([[0]])})
    layer.set_weights([np.array([[9, 9], [1, 2], [3, 6], [5, 5], [7, 7]])])
    X, mask = layer({"tags": tf.constant([[1, 2, 0], [3, 0, 0], [0, 0, 0]])})
    np.testing.assert_allclose(X[:, 0], [[2, 4], [5, 5], [0, 0]])
    assert mask.numpy().tolist() == [[True], [True], [False]]


def test_distinct_vectors_give_the_facets_and_gradients_of_repeated_ones() -> None:
    layer = SideEmbedding([FacetSpec("look", DENSE, 3)], 2)
    values = tf.concat(
        [tf.random.stateless_normal([4, 3], seed=[7, 2]), tf.zeros([1, 3])], axis=0
    )
    position = tf.constant([[0, 4, 2], [2, 2, 1]])

    def facets(column: Any) -> tuple[Facets, tf.Tensor]:
        with tf.GradientTape() as tape:
            found = layer({"look": column})
            loss = tf.reduce_sum(found.X**2)
        return found, tape.gradient(loss, layer.trainable_variables)[0]

    repeated, expected = facets(tf.gather(values, position))
    distinct, gradient = facets(DistinctVectors(values, position))
    np.testing.assert_allclose(distinct.X, repeated.X, atol=1e-6)
    np.testing.assert_array_equal(distinct.mask, repeated.mask)
    np.testing.assert_allclose(gradient, expected, atol=1e-5)


def test_a_dense_feature_passes_one_linear_layer() -> None:
    layer = SideEmbedding([FacetSpec("look", DENSE, 3)], 2)
    layer({"look": tf.zeros([1, 3])})
    layer.set_weights([np.array([[1, 0], [0, 10], [2, 3]])])
    X, mask = layer({"look": tf.constant([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])})
    np.testing.assert_allclose(X[:, 0], [[7, 29], [0, 0]])
    assert mask.numpy().tolist() == [[True], [False]]
