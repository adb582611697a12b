"""A history is a sum of vectors by the root of their number, written out in NumPy."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from uvcan_tf.network.liked_videos import LikedVideos, Likes

ROWS, FACTORS = 7, 5


def made() -> LikedVideos:
    layer = LikedVideos(ROWS, FACTORS, seed=3)
    layer.build()
    layer.bias.assign(np.arange(ROWS, dtype=np.float32))
    return layer


def test_a_history_is_the_sum_over_the_root_of_the_number() -> None:
    layer = made()
    likes = Likes(tf.constant([0, 0, 0, 2]), tf.constant([1, 4, 6, 4]))
    table = layer.inputs.numpy()
    expected = [table[[1, 4, 6]].sum(axis=0) / np.sqrt(3), np.zeros(FACTORS), table[4]]
    np.testing.assert_allclose(layer(likes, 3), expected, rtol=1e-5)


def test_the_product_of_both_factors_is_the_product_and_the_bias() -> None:
    layer = made()
    h = np.arange(FACTORS, dtype=np.float32)
    found = np.dot(layer.user_factors(h), layer.video_factors([5]).numpy()[0])
    np.testing.assert_allclose(found, h @ layer.outputs.numpy()[5] + 5.0, rtol=1e-5)
