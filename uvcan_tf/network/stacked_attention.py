"""Stacked attention over the facets of a user or of a video (sections 4.1 to 4.3).

The mathematics is in `attention.py`. Shapes: F facets, K factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from uvcan_tf.network.attention import (
    Attended,
    AttentionWeights,
    attend,
    project,
    stacked_attend,
)
from uvcan_tf.network.facets import Facets
from uvcan_tf.network.initial_weights import gaussian


@tf.keras.utils.register_keras_serializable("uvcan")
class StackedAttention(tf.keras.layers.Layer):
    """M hops of attention over facets, equations (1) and (2).

    Args:
      hops: M.
      facets: F.
      factors: K.
      guided: False for the single summary with g = 0, which needs no W_g.
      stddev, seed: of the initial weights.

    Call: (facets, projected, q) -> `Attended`; `project(X)` gives `projected`, the
      W_x X of every hop. A facet that is masked gets no weight; a row whose facets
      are all masked gives zeros.
    """

    def __init__(
        self,
        hops: int,
        facets: int,
        factors: int,
        guided: bool = True,
        stddev: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(hops, int) or hops < 1:
            raise ValueError(
                f"`hops` should be a positive int. Received: hops={hops!r}."
            )
        if not guided and hops != 1:
            raise ValueError(
                f"`hops` should be 1 without guidance. Received: hops={hops!r}."
            )
        self.hops = hops
        self.facets = facets
        self.factors = factors
        self.guided = guided
        self.stddev = stddev
        self.seed = seed

    def build(self, input_shape: Any = None) -> None:
        self.hop_weights = [self._hop(hop) for hop in range(self.hops)]
        super().build(input_shape)

    def _hop(self, hop: int) -> AttentionWeights:
        def weight(name: str, shape: list[int], number: int) -> tf.Variable:
            return self.add_weight(
                name=f"{name}_{hop + 1}",
                shape=shape,
                initializer=gaussian(self.stddev, self.seed + 3 * hop + number),
            )

        square = [self.factors, self.factors]
        return AttentionWeights(
            W_x=weight("W_x", square, 0),
            W_g=weight("W_g", square, 1) if self.guided else None,
            w_h=weight("w_h", [self.factors], 2),
            b=self.add_weight(
                name=f"b_{hop + 1}", shape=[self.facets], initializer="zeros"
            ),
        )

    def project(self, X: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """W_x X of every hop, [..., F, K] each."""
        if not self.built:
            self.build()
        return tuple(project(X, weights.W_x) for weights in self.hop_weights)

    def call(
        self,
        facets: Facets,
        projected: Sequence[tf.Tensor],
        q: tf.Tensor | None = None,
    ) -> Attended:
        X, mask = facets
        if q is not None:
            return stacked_attend(X, projected, mask, q, self.hop_weights)
        x, a = attend(X, projected[0], mask, None, self.hop_weights[0])
        return Attended(x, (a,))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "hops": self.hops,
            "facets": self.facets,
            "factors": self.factors,
            "guided": self.guided,
            "stddev": self.stddev,
            "seed": self.seed,
        }
