"""The embedding of a user's or a video's facets (section 3.2).

Shapes: F facets of a user (N) or of a video (M), K factors, L values of a multivalued
feature, D length of a dense one, R rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from uvcan_tf.network.facets import (
    DENSE,
    MULTIVALUED,
    DistinctVectors,
    Facets,
    FacetSpec,
    FacetValues,
)
from uvcan_tf.network.initial_weights import gaussian
from uvcan_tf.network.products import linear


@tf.keras.utils.register_keras_serializable("uvcan")
class SideEmbedding(tf.keras.layers.Layer):
    """q^u or q^v of section 3.2: one K-vector for the identity and each feature.

    A multivalued feature is the mean of its values' embeddings; the paper leaves open
    how several tags make one facet. A dense feature passes a single linear layer.

    Args:
      facets: in order.
      factors: K.
      stddev: of the initial weights.
      seed: of the initial weights.

    Call: columns by name, int [...] | int [..., L] padded with 0 | float [..., D], or
      `DistinctVectors` instead of the last -> `Facets`, X [..., F, K] and mask
      bool [..., F]. Missing facets are zeros.
    """

    def __init__(
        self,
        facets: Sequence[FacetSpec],
        factors: int,
        stddev: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.facets = tuple(facets)
        self.factors = factors
        self.stddev = stddev
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        self._tables = {}
        for number, facet in enumerate(self.facets):
            self._tables[facet.name] = self.add_weight(
                name=f"{facet.name}_embedding",
                shape=[facet.rows, self.factors],
                initializer=gaussian(self.stddev, self.seed + number),
            )
        super().build(input_shape)

    def call(self, columns: Mapping[str, tf.Tensor]) -> Facets:
        return self.join(self.look_up(columns))

    def table(self, facet: str) -> tf.Variable:
        """The embedding table of one facet."""
        return self._tables[facet]

    def look_up(self, columns: Mapping[str, Any]) -> tuple[FacetValues, ...]:
        """Rows of the tables, and products with them, of every facet."""
        return tuple(self._look_up(facet, columns[facet.name]) for facet in self.facets)

    def project(self, name: str, values: tf.Tensor) -> tf.Tensor:
        """The vectors [..., K] of a dense facet's values [..., D]."""
        return linear(values, self._tables[name])

    def join(self, looked_up: Sequence[FacetValues]) -> Facets:
        """The facets of what `look_up` gave."""
        facets = [
            self._facet(facet.kind, x)
            for facet, x in zip(self.facets, looked_up, strict=True)
        ]
        return Facets(
            tf.stack([x for x, _ in facets], axis=-2),  # [..., F, K]
            tf.stack([there for _, there in facets], axis=-1),  # [..., F]
        )

    def _look_up(
        self, facet: FacetSpec, column: tf.Tensor | DistinctVectors
    ) -> FacetValues:
        table = self._tables[facet.name]
        if isinstance(column, DistinctVectors):
            there = column.there
            if there is None:
                there = tf.reduce_any(column.values != 0, axis=-1)  # [R]
            x = linear(column.values, table)  # [R, K]
            return FacetValues(
                *(tf.gather(part, column.position) for part in (x, there))
            )
        if facet.kind == DENSE:
            return FacetValues(
                linear(column, table), tf.reduce_any(column != 0, axis=-1)
            )
        return FacetValues(tf.gather(table, column), column != 0)

    def _facet(self, kind: str, looked_up: FacetValues) -> tuple[tf.Tensor, tf.Tensor]:
        """One facet's vectors [..., K], and where it is there, [...]."""
        values, there = looked_up
        if kind == DENSE:
            return values, there
        values = values * tf.cast(tf.expand_dims(there, -1), values.dtype)
        if kind == MULTIVALUED:
            count = tf.reduce_sum(tf.cast(there, values.dtype), -1, keepdims=True)
            values = tf.math.divide_no_nan(tf.reduce_sum(values, axis=-2), count)
            there = tf.reduce_any(there, axis=-1)
        return values, there

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "facets": [facet.to_dict() for facet in self.facets],
            "factors": self.factors,
            "stddev": self.stddev,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> SideEmbedding:
        facets = [FacetSpec.from_dict(facet) for facet in config["facets"]]
        return cls(**{**config, "facets": facets})
