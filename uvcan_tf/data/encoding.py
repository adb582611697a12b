"""Raw rows to model inputs: the one implementation of the transform.

TensorFlow Transform, the library's own path and the exported signatures all call
`encode`; they differ only in the lookup and the scales they pass, so a row means the
same everywhere.

Shapes: N rows, L values of a multivalued feature, D length of a dense feature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import tensorflow as tf

from uvcan_tf.features import (
    USER_ID,
    VIDEO_ID,
    Categorical,
    Dense,
    Feature,
    Features,
    Numeric,
)

Raw = Mapping[str, tf.SparseTensor | tf.Tensor]
Encoded = dict[str, tf.Tensor | tf.SparseTensor]
Lookup = Callable[[str, tf.Tensor], tf.Tensor]
Scales = Mapping[str, Any]

#: No number is further from the mean, in standard deviations: one such would drown all
#: other facets.
_FURTHEST: Final = 10.0
_LINE_BREAKS = ("\n", "\r")


def raw_spec(features: Features) -> dict[str, tf.io.VarLenFeature]:
    """How to parse a serialized `tf.Example` of raw features; any may be missing."""
    spec = {name: tf.io.VarLenFeature(tf.string) for name in (USER_ID, VIDEO_ID)}
    for feature in (*features.user, *features.video):
        spec[feature.name] = tf.io.VarLenFeature(dtype_of(feature))
    return spec


def dtype_of(feature: Feature) -> tf.DType:
    """The type of a feature's raw values."""
    return tf.string if isinstance(feature, Categorical) else tf.float32


def encode(
    features: Features, raw: Raw, lookup: Lookup, scales: Scales | None = None
) -> Encoded:
    """Row numbers for names and for buckets of numbers, vectors for all else.

    Args:
      features: the declaration.
      raw: sparse [N, L] by feature name, or dense [N, D] for a dense feature; a
        feature that is absent does not come out.
      lookup: (feature name, strings) -> int64, 0..n-1 for the n known values, n else.
      scales: float32 by name of a numeric feature; see `numbers.scale_of`.

    Returns:
      Ids and single categorical features as int64 [N]: 0 missing, 1..n known, n+1
      unknown. Multivalued ones sparse [N, L] of 1..n+1. Dense ones float32 [N, D] of
      length 1, or zeros where missing. Numbers in buckets int64 [N]: 0 missing, 1..n.
      Standardized ones float32 [N, 2]: the number and 1, or zeros where missing.
    """
    encoded: Encoded = {}
    for name in (USER_ID, VIDEO_ID):
        if name in raw:
            encoded[name] = _first_value(raw[name], name, lookup)
    for feature in (*features.user, *features.video):
        if feature.name not in raw:
            continue
        values = raw[feature.name]
        if isinstance(feature, Dense):
            encoded[feature.name] = _unit_vectors(values, feature.length)
        elif isinstance(feature, Numeric):
            scale = (scales or {})[feature.name]
            encoded[feature.name] = _scaled(feature, values, scale)
        elif feature.multivalued:
            encoded[feature.name] = _ids(values, feature.name, lookup)
        else:
            encoded[feature.name] = _first_value(values, feature.name, lookup)
    return encoded


class VocabularyLookup(tf.Module):
    """Looks names up in fixed vocabularies; row numbers are positions in them."""

    def __init__(self, vocabularies: Mapping[str, Iterable[str]]) -> None:
        super().__init__()
        self._tables = {
            name: _table(list(values)) for name, values in vocabularies.items()
        }

    def __call__(self, name: str, strings: tf.Tensor) -> tf.Tensor:
        return self._tables[name].lookup(strings)


def lookup_keys(values: Iterable[str]) -> list[str]:
    """Names as the lines of a file can hold them.

    A name with a line break has a key that nothing equals: it is unknown in training
    as it is in serving, and in TensorFlow Transform.
    """
    return [
        f"\0{row} has a line break" if any(b in value for b in _LINE_BREAKS) else value
        for row, value in enumerate(values)
    ]


def padded(column: tf.SparseTensor | tf.Tensor) -> tf.Tensor:
    """An encoded column [N, *] without gaps: rows of fewer values end in zeros."""
    return tf.sparse.to_dense(column) if _is_sparse(column) else column


def _table(values: list[str]) -> tf.lookup.StaticHashTable:
    keys = lookup_keys(values) or [
        ""
    ]  # no empty tables in TensorFlow; 0 is "unknown" here
    initializer = tf.lookup.KeyValueTensorInitializer(
        tf.constant(keys, tf.string), tf.range(len(keys), dtype=tf.int64)
    )
    return tf.lookup.StaticHashTable(initializer, default_value=len(values))


def _ids(values: tf.SparseTensor, name: str, lookup: Lookup) -> tf.SparseTensor:
    numbers = tf.cast(lookup(name, values.values), tf.int64) + 1
    return tf.SparseTensor(values.indices, numbers, values.dense_shape)


def _first_value(values: tf.SparseTensor, name: str, lookup: Lookup) -> tf.Tensor:
    """[N]: the first value of each row, 0 where there is none."""
    is_first = tf.equal(values.indices[:, 1], 0)
    rows = tf.boolean_mask(values.indices[:, :1], is_first)
    numbers = tf.cast(lookup(name, tf.boolean_mask(values.values, is_first)), tf.int64)
    return tf.scatter_nd(rows, numbers + 1, values.dense_shape[:1])


def _scaled(feature: Numeric, values: tf.SparseTensor, scale: Any) -> tf.Tensor:
    """int64 [N], the bucket; or float32 [N, 2], the standardized number and a 1.

    A number on a bound belongs to the bucket above it.
    """
    is_first = tf.equal(values.indices[:, 1], 0) & ~tf.math.is_nan(values.values)
    rows = tf.boolean_mask(values.indices[:, :1], is_first)
    found = tf.boolean_mask(values.values, is_first)
    scale = tf.convert_to_tensor(scale, tf.float32)
    if feature.width is None:
        bucket = tf.searchsorted(scale, found, side="right", out_type=tf.int64) + 1
        return tf.scatter_nd(rows, bucket, values.dense_shape[:1])
    distance = tf.math.divide_no_nan(found - scale[0], scale[1])
    distance = tf.clip_by_value(distance, -_FURTHEST, _FURTHEST)
    shape = tf.concat([values.dense_shape[:1], [feature.width]], axis=0)
    there = tf.stack([distance, tf.ones_like(distance)], axis=1)
    return tf.ensure_shape(tf.scatter_nd(rows, there, shape), [None, feature.width])


def _unit_vectors(values: tf.SparseTensor | tf.Tensor, length: int) -> tf.Tensor:
    """[N, D]: each row scaled to length 1; a missing row stays zero.

    The paper leaves open how visual vectors are scaled. Whitened vectors of 1,024
    dimensions are about 32 long, far longer than any embedding drawn from N(0, 0.1);
    on the unit sphere all facets start alike.
    """
    dense = _to_dense(values, length) if _is_sparse(values) else values  # [N, D]
    return tf.math.l2_normalize(dense, axis=-1)


def _is_sparse(values: object) -> bool:
    return hasattr(values, "dense_shape")


def _to_dense(values: tf.SparseTensor, length: int) -> tf.Tensor:
    rows = values.dense_shape[0]
    counts = tf.math.segment_sum(
        tf.ones_like(values.values, tf.int32), values.indices[:, 0]
    )
    check = tf.debugging.Assert(
        tf.reduce_all((counts == 0) | (counts == length)),
        [f"A dense vector should have {length} values. Received:", counts],
    )
    with tf.control_dependencies([check] if check is not None else []):
        shape = tf.stack([rows, tf.constant(length, tf.int64)])
    return tf.reshape(tf.scatter_nd(values.indices, values.values, shape), [-1, length])
