"""The prior's factors of whoever has no pair yet, by attributes.

Shapes: P factors, D length of a vector, L values of a multivalued attribute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from uvcan_tf.factorization.attribute_matrix import Floats
from uvcan_tf.features import Feature
from uvcan_tf.network.products import linear


class AttributeMeans(tf.Module):
    """A regression as a function of encoded features, to be saved with a model.

    Call: columns by name, int [...] | int [..., L] padded with 0 | float [..., D] ->
      float32 [..., P], or [P] without any attribute. Values that the table never had
      count for nothing; without any that counts, the result is the mean of all rows.
    """

    def __init__(
        self, features: Sequence[Feature], tables: Sequence[Floats], mean: Floats
    ) -> None:
        super().__init__()
        self._features = list(features)
        self._tables = [tf.Variable(table, trainable=False) for table in tables]
        self._mean = tf.Variable(mean, trainable=False)

    def become(self, other: AttributeMeans) -> None:
        """Takes what another regression on the same features found."""
        for own, found in zip(self.variables, other.variables, strict=True):
            own.assign(found)

    def __call__(self, columns: Mapping[str, tf.Tensor]) -> tf.Tensor:
        total = tf.convert_to_tensor(self._mean)
        for feature, table in zip(self._features, self._tables, strict=True):
            total += _share_of(feature, table, columns[feature.name])
        return total


def with_cold_start(
    of_table: tuple[tf.Tensor, ...],
    cold_start: tf.Tensor,
    means: AttributeMeans | None,
    columns: Mapping[str, tf.Tensor],
) -> tuple[tf.Tensor, ...]:
    """The factors [..., P], if there are any, of known and cold-start rows.

    Args:
      of_table: the factors that the table has of the rows.
      cold_start: bool [...], the rows for which the attributes count instead.
      means: by attributes, where those count.
      columns: of all rows, [..., *].
    """
    if means is None:
        return of_table
    return tuple(tf.where(cold_start[..., None], means(columns), x) for x in of_table)


def _share_of(feature: Feature, table: tf.Variable, column: tf.Tensor) -> tf.Tensor:
    if feature.width is not None:
        return linear(column, table)
    if not feature.multivalued:
        return tf.gather(table, column)  # row 0, no value, is zeros
    there = tf.reduce_sum(tf.cast(column != 0, tf.float32), axis=-1, keepdims=True)
    values = tf.reduce_sum(tf.gather(table, column), axis=-2)
    return tf.math.divide_no_nan(values, there)
