"""The rating of a pair: the MLP of section 4.4.

Shapes: B users, C candidate videos (1 where only the user counts), K factors, H width
of the first hidden layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from uvcan_tf.network.initial_weights import gaussian
from uvcan_tf.network.products import linear


class RatingWeights(NamedTuple):
    """The first layer's kernel by the parts of z, [K, H] each, and the layers after.

    bias: [H]. rest: (kernel, bias) of every further layer.
    """

    v_u: tf.Tensor
    v_v: tf.Tensor
    h_u: tf.Tensor
    h_v: tf.Tensor
    bias: tf.Tensor
    rest: list[tuple[tf.Tensor, tf.Tensor]]


@tf.keras.utils.register_keras_serializable("uvcan")
class Rating(tf.keras.layers.Layer):
    """ŷ = MLP(z), z = [v̂ᵘ; v̂ᵛ; hᵘ; hᵛ], equations (3) and (4).

    The first layer's kernel is kept as four [K, H] blocks, one for each part of z:
    the blocks of hᵘ and hᵛ then need computing once for a user and once for a video,
    and z is never formed. The paper leaves open the activation: ReLU.

    Args:
      hidden: widths of the hidden layers, the first being H.
      factors: K.
      begins_at_zero: whether the MLP begins with an output of 0.
      stddev, seed: of the initial weights.

    Call: (v̂ᵘ [B, C, K], v̂ᵛ [B, C, K], user part [B, 1, H], video part [B, C, H]) ->
      ŷ [B, C], a logit.
    """

    def __init__(
        self,
        hidden: Sequence[int],
        factors: int,
        begins_at_zero: bool = False,
        stddev: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden = tuple(hidden)
        self.factors = factors
        self.begins_at_zero = begins_at_zero
        self.stddev = stddev
        self.seed = seed

    def build(self, input_shape: Any = None) -> None:
        first, *rest = self.hidden
        self._blocks = [
            self.add_weight(
                name=f"{part}_kernel",
                shape=[self.factors, first],
                initializer=gaussian(self.stddev, self.seed + number),
            )
            for number, part in enumerate(("v_u", "v_v", "h_u", "h_v"))
        ]
        self._bias = self.add_weight(name="bias", shape=[first], initializer="zeros")
        self._rest = [
            tf.keras.layers.Dense(
                width,
                activation=activation,
                kernel_initializer="zeros"
                if self.begins_at_zero and activation is None
                else gaussian(self.stddev, self.seed + 4 + number),
            )
            for number, (width, activation) in enumerate(
                [*((width, "relu") for width in rest), (1, None)]
            )
        ]
        for width, dense in zip(self.hidden, self._rest, strict=True):
            dense.build([None, width])
        super().build(input_shape)

    def weights_of(self) -> RatingWeights:
        """The parameters by what they weigh."""
        v_u, v_v, h_u, h_v = self._blocks
        rest = [(dense.kernel, dense.bias) for dense in self._rest]
        return RatingWeights(v_u, v_v, h_u, h_v, self._bias, rest)

    def user_part(self, h_u: tf.Tensor) -> tf.Tensor:
        """hᵘ's share of the first hidden layer: [..., K] -> [..., H]."""
        return self._part(h_u, 2)

    def video_part(self, h_v: tf.Tensor) -> tf.Tensor:
        """hᵛ's share of the first hidden layer: [..., K] -> [..., H]."""
        return self._part(h_v, 3)

    def _part(self, x: tf.Tensor, block: int) -> tf.Tensor:
        if not self.built:
            self.build()
        return linear(x, self._blocks[block])

    def call(
        self,
        v_u: tf.Tensor,
        v_v: tf.Tensor,
        user_part: tf.Tensor,
        video_part: tf.Tensor,
    ) -> tf.Tensor:
        x = self._part(v_u, 0) + self._part(v_v, 1)  # [B, C, H]
        x += user_part + video_part + self._bias
        x = tf.nn.relu(x)
        for dense in self._rest:
            x = dense(x)
        return tf.squeeze(x, axis=-1)  # [B, C]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "hidden": self.hidden,
            "factors": self.factors,
            "begins_at_zero": self.begins_at_zero,
            "stddev": self.stddev,
            "seed": self.seed,
        }
