"""What the neural baselines have in common: settings and the tower of an MLP.

Shapes: B users, C candidate videos, H width of the first hidden layer, D of an input.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from uvcan_tf.config import TrainingConfig, tower_widths
from uvcan_tf.network.products import linear
from uvcan_tf.validators import require_count, require_not_negative, require_number


@dataclasses.dataclass(frozen=True)
class NeuralSettings:
    """The size of a neural baseline.

    Args:
      factors: K, the width of every embedding.
      hidden: widths of the tower's hidden layers; empty means 2K, K and K/2, as UVCAN.
      initial_stddev: standard deviation of the initial embeddings.
      id_dropout: share of ids that training replaces with the unknown id.
    """

    factors: int = 32
    hidden: tuple[int, ...] = ()
    initial_stddev: float = 0.1
    id_dropout: float = 0.02

    def __post_init__(self) -> None:
        require_count("factors", self.factors)
        for width in self.hidden:
            require_count("hidden", width)
        require_not_negative("initial_stddev", self.initial_stddev)
        require_number("id_dropout", self.id_dropout, 0, 1)

    @property
    def hidden_widths(self) -> tuple[int, ...]:
        """Widths of the hidden layers, the default one spelled out."""
        return self.hidden or tower_widths(self.factors)


@dataclasses.dataclass(frozen=True)
class NeuralConfig:
    """All settings of one neural baseline.

    >>> NeuralConfig().model.factors
    32
    """

    model: NeuralSettings = NeuralSettings()
    training: TrainingConfig = TrainingConfig()


class Tower(tf.keras.layers.Layer):
    """ReLU layers over [user; video], the first one computed a side at a time.

    Args:
      hidden: widths of the layers, the first being H.
      seed: of the initial weights (He et al.).

    Call: (user part [B, C=1, H], video part [B or 1, C, H]) -> [B, C, last width].
    """

    def __init__(self, hidden: Sequence[int], seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = tuple(hidden)
        self.seed = seed
        self._user, self._video, *self._rest = (
            tf.keras.layers.Dense(
                width,
                use_bias=number != 0,
                kernel_initializer=tf.keras.initializers.HeNormal(seed + number),
            )
            for number, width in enumerate([self.hidden[0], *self.hidden])
        )

    def user_part(self, x: tf.Tensor) -> tf.Tensor:
        """The user's share of the first layer: [..., D] -> [..., H]."""
        return self._user(x)

    def video_part(self, x: tf.Tensor) -> tf.Tensor:
        """The video's share of the first layer: [..., D] -> [..., H]."""
        return self._video(x)

    def call(self, user_part: tf.Tensor, video_part: tf.Tensor) -> tf.Tensor:
        x = tf.nn.relu(user_part + video_part)  # [B, C, H]
        for dense in self._rest:
            if not dense.built:
                dense.build(x.shape)
            x = tf.nn.relu(linear(x, dense.kernel) + dense.bias)
        return x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden": self.hidden, "seed": self.seed}
