"""Checked tables to an encoded dataset, without a pipeline."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.dataset import Dataset, Pairs, Side, StringArray
from uvcan_tf.data.encoding import (
    Encoded,
    Raw,
    VocabularyLookup,
    dtype_of,
    encode,
    padded,
)
from uvcan_tf.data.held_out import split_interactions
from uvcan_tf.data.numbers import scale_of
from uvcan_tf.data.tables import Tables
from uvcan_tf.evaluation_settings import RANDOM
from uvcan_tf.features import (
    LABEL,
    TIMESTAMP,
    USER_ID,
    VIDEO_ID,
    Categorical,
    Dense,
    Feature,
    Features,
    Numeric,
)


def encode_tables(
    tables: Tables, features: Features, config: EvaluationConfig
) -> Dataset:
    """Vocabularies, encoded rows and the split of one set of tables."""
    sides = (tables.users, features.user), (tables.videos, features.video)
    columns = [(f, table[f.name]) for table, side in sides for f in side]
    vocabularies = {
        feature.name: _vocabulary(column)
        for feature, column in columns
        if isinstance(feature, Categorical)
    }
    numeric = [(f, column) for f, column in columns if isinstance(f, Numeric)]
    scales = {feature.name: scale_of(feature, column) for feature, column in numeric}
    lookup = VocabularyLookup(vocabularies)
    split = split_interactions(tables.interactions, config)
    user, video = (
        _positions(tables.interactions[name], table[name])
        for name, table in ((USER_ID, tables.users), (VIDEO_ID, tables.videos))
    )
    time = None
    if config.split != RANDOM:
        time = tables.interactions[TIMESTAMP].to_numpy()
    pairs = Pairs(user + 1, video + 1, time)
    liked = tables.interactions[LABEL].to_numpy() == 1
    rule = functools.partial(encode, features, lookup=lookup, scales=scales)
    users = _side(tables.users, USER_ID, features.user, rule)
    videos = _side(tables.videos, VIDEO_ID, features.video, rule)
    return Dataset(
        features=features,
        users=users,
        videos=videos,
        vocabularies=vocabularies | bucket_names(features),
        train=pairs.where(liked & split.train),
        test=pairs.where(split.test),
        impressions=pairs.where(~liked & split.train),
        scales=scales,
    )


def bucket_names(features: Features) -> dict[str, StringArray]:
    """What stands in place of a vocabulary for numbers in buckets."""
    return {
        feature.name: np.array(feature.buckets, dtype=object)
        for feature in (*features.user, *features.video)
        if isinstance(feature, Numeric) and feature.width is None
    }


def _vocabulary(column: pa.ChunkedArray) -> StringArray:
    """Known values, most frequent first, ties in descending order, as in TFT."""
    values = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    counts = pc.value_counts(values.combine_chunks().drop_null())
    names = counts.field("values").to_numpy(zero_copy_only=False)
    numbers = counts.field("counts").to_numpy()
    by_name = np.argsort(names.astype(object), kind="stable")[::-1]
    order = by_name[np.argsort(-numbers[by_name], kind="stable")]
    return names[order]


def _positions(column: pa.ChunkedArray, ids: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    found = pc.index_in(column.combine_chunks(), value_set=ids.combine_chunks())
    return found.to_numpy(zero_copy_only=False).astype(np.int32)


def _side(
    table: pa.Table,
    identity: str,
    side: tuple[Feature, ...],
    rule: Callable[[Raw], Encoded],
) -> Side:
    raw: Raw = {f.name: _raw(table[f.name], f) for f in side}
    columns = {}
    for name, column in rule(raw).items():
        rows = padded(column).numpy()
        rows = rows if rows.dtype == np.float32 else rows.astype(np.int32)
        columns[name] = np.pad(rows, [(1, 1), *[(0, 0)] * (rows.ndim - 1)])
    return Side(table[identity].to_numpy().astype(object), columns)


def _raw(column: pa.ChunkedArray, feature: Feature) -> tf.SparseTensor | tf.Tensor:
    array = column.combine_chunks()
    if isinstance(feature, Dense):
        flat = np.zeros([len(array), feature.length], np.float32)
        there = _there(array)
        if there.any():  # Arrow cannot flatten nulls alone
            flat[there] = array.flatten().to_numpy().reshape(-1, feature.length)
        return tf.constant(flat)
    if isinstance(feature, Categorical) and feature.multivalued:
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy()
        values = array.flatten().to_numpy(zero_copy_only=False)
    else:
        lengths = _there(array).astype(np.int32)
        values = array.drop_null().to_numpy(zero_copy_only=False)
    if isinstance(feature, Categorical):
        values = values.astype(object)
    flat_values = tf.constant(values, dtype_of(feature), shape=[len(values)])
    return tf.RaggedTensor.from_row_lengths(flat_values, lengths).to_sparse()


def _there(array: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(array.is_valid().to_numpy(zero_copy_only=False), bool)
