"""The layers that own UVCAN's weights; the mathematics is in `attention.py`.

Shapes: B users, C candidate videos (1 on the user side), F facets of one side (N of a
user, M of a video), K factors, L values of a multivalued feature, D length of a dense
one, R rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from uvcan_tf.network.attention import (
    Attended,
    AttentionWeights,
    attend,
    linear,
    project,
    stacked_attend,
)

_register = tf.keras.utils.register_keras_serializable("uvcan")


def gaussian(stddev: float, seed: int) -> tf.keras.initializers.Initializer:
    """N(0, stddev), section 5.4; the seed makes each weight's draw repeatable."""
    return tf.keras.initializers.RandomNormal(0.0, stddev, seed=seed)


class Facets(NamedTuple):
    """X [..., F, K], the facets of a side as rows, and which are there, [..., F]."""

    X: tf.Tensor
    mask: tf.Tensor


class Distinct(NamedTuple):
    """A dense feature whose rows repeat: values [R, D], and the row of each, [...].

    there: bool [R], whether a row is there at all, where that is known already.
    """

    values: tf.Tensor
    position: tf.Tensor
    there: tf.Tensor | None = None


class Found(NamedTuple):
    """What one facet's column led to; several values [..., L, K], else [..., K]."""

    values: tf.Tensor
    there: tf.Tensor  # bool [..., L] or [...]


@_register
class SideEmbedding(tf.keras.layers.Layer):
    """q^u or q^v of section 3.2: one K-vector for the identity and each feature.

    A multivalued feature is the mean of its values' embeddings; the paper leaves open
    how several tags make one facet. A dense feature passes a single linear layer.

    Args:
      facets: in order, {"name", "kind", "size"}; kind is "categorical", "multivalued"
        (size: known values) or "dense" (size: length of the vector).
      factors: K.
      stddev: of the initial weights.
      seed: of the initial weights.

    Call: columns by name, int [...] | int [..., L] padded with 0 | float [..., D], or
      `Distinct` instead of the last -> `Facets`, X [..., F, K] and mask bool [..., F].
      Missing facets are zeros.
    """

    def __init__(
        self,
        facets: Sequence[Mapping[str, Any]],
        factors: int,
        stddev: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.facets = [dict(facet) for facet in facets]
        self.factors = factors
        self.stddev = stddev
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        self._tables = {}
        for number, facet in enumerate(self.facets):
            rows = facet["size"] + (0 if facet["kind"] == "dense" else 2)
            self._tables[facet["name"]] = self.add_weight(
                name=f"{facet['name']}_embedding",
                shape=[rows, self.factors],
                initializer=gaussian(self.stddev, self.seed + number),
            )
        super().build(input_shape)

    def call(self, columns: Mapping[str, tf.Tensor]) -> Facets:
        return self.join(self.look_up(columns))

    def look_up(self, columns: Mapping[str, Any]) -> tuple[Found, ...]:
        """Rows of the tables, and products with them, of every facet."""
        return tuple(
            self._look_up(facet, columns[facet["name"]]) for facet in self.facets
        )

    def join(self, found: Sequence[Found]) -> Facets:
        """The facets of what `look_up` found."""
        facets = [
            self._facet(facet["kind"], x)
            for facet, x in zip(self.facets, found, strict=True)
        ]
        return Facets(
            tf.stack([x for x, _ in facets], axis=-2),  # [..., F, K]
            tf.stack([there for _, there in facets], axis=-1),  # [..., F]
        )

    def _look_up(self, facet: Mapping[str, Any], column: tf.Tensor | Distinct) -> Found:
        table = self._tables[facet["name"]]
        if isinstance(column, Distinct):
            there = column.there
            if there is None:
                there = tf.reduce_any(column.values != 0, axis=-1)  # [R]
            x = linear(column.values, table)  # [R, K]
            return Found(*(tf.gather(part, column.position) for part in (x, there)))
        if facet["kind"] == "dense":
            return Found(linear(column, table), tf.reduce_any(column != 0, axis=-1))
        return Found(tf.gather(table, column), column != 0)

    def _facet(self, kind: str, found: Found) -> tuple[tf.Tensor, tf.Tensor]:
        """One facet's vectors [..., K], and where it is there, [...]."""
        values, there = found
        if kind == "dense":
            return values, there
        values = values * tf.cast(tf.expand_dims(there, -1), values.dtype)
        if kind == "multivalued":
            count = tf.reduce_sum(tf.cast(there, values.dtype), -1, keepdims=True)
            values = tf.math.divide_no_nan(tf.reduce_sum(values, axis=-2), count)
            there = tf.reduce_any(there, axis=-1)
        return values, there

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "facets": self.facets,
            "factors": self.factors,
            "stddev": self.stddev,
            "seed": self.seed,
        }


@_register
class StackedAttention(tf.keras.layers.Layer):
    """M hops of attention over one side's facets, equations (1) and (2).

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


class RatingWeights(NamedTuple):
    """The first layer's kernel by the parts of z, [K, H] each, and the layers after.

    bias: [H]. rest: (kernel, bias) of every further layer. prior: with one, its kernel
    [H] and its scale.
    """

    v_u: tf.Tensor
    v_v: tf.Tensor
    h_u: tf.Tensor
    h_v: tf.Tensor
    bias: tf.Tensor
    rest: list[tuple[tf.Tensor, tf.Tensor]]
    prior: tuple[tf.Tensor, tf.Tensor] | None


@_register
class Rating(tf.keras.layers.Layer):
    """ŷ = MLP(z), z = [v̂ᵘ; v̂ᵛ; hᵘ; hᵛ], equations (3) and (4).

    The first layer's kernel is kept as four [K, H] blocks, one for each part of z:
    the blocks of hᵘ and hᵛ then need computing once for a user and once for a video,
    and z is never formed. The paper leaves open the activation: ReLU.

    Args:
      hidden: widths of the hidden layers, the first being H.
      factors: K.
      prior_scale: with a prior, the first weight s of its share of the logit. Unlike
        the paper, ŷ = MLP([z; p]) + s p then, p being what the prior says of the pair.
        The MLP begins with an output of 0, so that training begins with the prior.
      stddev, seed: of the initial weights.

    Call: (v̂ᵘ [B, C, K], v̂ᵛ [B, C, K], user part [B, 1, H], video part [B, C, H], and
      with a prior p [B, C]) -> ŷ [B, C], a logit.
    """

    def __init__(
        self,
        hidden: Sequence[int],
        factors: int,
        prior_scale: float | None = None,
        stddev: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden = tuple(hidden)
        self.factors = factors
        self.prior_scale = prior_scale
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
        if self.prior_scale is not None:
            self._prior = self.add_weight(
                name="prior_kernel",
                shape=[first],
                initializer=gaussian(self.stddev, self.seed + 9),
            )
            self._scale = self.add_weight(
                name="prior_scale",
                shape=[],
                initializer=tf.keras.initializers.Constant(self.prior_scale),
            )
        self._rest = [
            tf.keras.layers.Dense(
                width,
                activation=activation,
                kernel_initializer="zeros"
                if self.prior_scale is not None and activation is None
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
        prior = None if self.prior_scale is None else (self._prior, self._scale)
        return RatingWeights(v_u, v_v, h_u, h_v, self._bias, rest, prior)

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
        prior: tf.Tensor | None = None,
    ) -> tf.Tensor:
        x = self._part(v_u, 0) + self._part(v_v, 1)  # [B, C, H]
        x += user_part + video_part + self._bias
        if prior is not None:
            x += prior[..., None] * self._prior
        x = tf.nn.relu(x)
        for dense in self._rest:
            x = dense(x)
        logits = tf.squeeze(x, axis=-1)  # [B, C]
        return logits if prior is None else logits + self._scale * prior

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "hidden": self.hidden,
            "factors": self.factors,
            "prior_scale": self.prior_scale,
            "stddev": self.stddev,
            "seed": self.seed,
        }
