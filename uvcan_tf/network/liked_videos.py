"""A user as the sum of the videos that they liked, and the product with a video.

An autoencoder of likes with separate input and output vectors, as in Liang et al.,
Variational Autoencoders for Collaborative Filtering (WWW 2018), without its layers.

Shapes: B users, L likes of them together, R video rows, D factors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from uvcan_tf.network.initial_weights import gaussian


class Likes(NamedTuple):
    """Likes of B users, int32 [L] each: a place from 0 to B - 1, and a video row."""

    user: tf.Tensor
    video: tf.Tensor


def together(some: Likes, more: Likes) -> Likes:
    """The likes of both, in this order."""
    both = zip(some, more, strict=True)
    return Likes(*(tf.concat(parts, axis=0) for parts in both))


@tf.keras.utils.register_keras_serializable("uvcan")
class LikedVideos(tf.keras.layers.Layer):
    """h_u = Σ i_w / √n over the n liked videos w; the product is h_u · o_v + b_v.

    Args:
      rows: of the table of videos, R.
      factors: D.
      product: whether there are o and b.
      bias: whether b is learned; else it stays 0.
      stddev, seed: of the initial vectors i and o; b begins with zeros.

    Call: (`Likes`, the number of users B) -> h [B, D], zeros without likes.
    """

    def __init__(
        self,
        rows: int,
        factors: int,
        product: bool = True,
        bias: bool = True,
        stddev: float = 0.05,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rows = rows
        self.factors = factors
        self.product = product
        self.has_bias = bias
        self.stddev = stddev
        self.seed = seed

    def build(self, input_shape: Any = None) -> None:
        def vectors(name: str, seed: int) -> tf.Variable:
            return self.add_weight(
                name=f"{name}_embedding",
                shape=[self.rows, self.factors],
                initializer=gaussian(self.stddev, seed),
            )

        self.inputs = vectors("input", self.seed)
        if self.product:
            self.outputs = vectors("output", self.seed + 1)
            self.bias = self.add_weight(
                name="bias_embedding",
                shape=[self.rows],
                initializer="zeros",
                trainable=self.has_bias,
            )
        super().build(input_shape)

    def call(self, likes: Likes, users: tf.Tensor) -> tf.Tensor:
        ones = tf.ones_like(likes.user, tf.float32)
        count = tf.math.unsorted_segment_sum(ones, likes.user, users)
        total = tf.math.unsorted_segment_sum(
            tf.gather(self.inputs, likes.video), likes.user, users
        )
        return total / tf.sqrt(tf.maximum(count, 1.0))[:, None]

    def user_factors(self, h: tf.Tensor) -> tf.Tensor:
        """[h; 1], [..., D + 1]: its product with a video's factors is the rating."""
        return tf.concat([h, tf.ones_like(h[..., :1])], axis=-1)

    def video_factors(self, videos: tf.Tensor) -> tf.Tensor:
        """[o; b], [..., D + 1], of video rows int [...]."""
        o, b = (tf.gather(table, videos) for table in (self.outputs, self.bias))
        return tf.concat([o, b[..., None]], axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rows": self.rows,
            "factors": self.factors,
            "product": self.product,
            "bias": self.has_bias,
            "stddev": self.stddev,
            "seed": self.seed,
        }
