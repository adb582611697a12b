"""The same network trained the straightforward way: one example at a time in tf.data.

Negatives are drawn once an epoch, each example is a dict of features looked up by
`map`, and Keras fits batches of dicts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset, Side
from uvcan_tf.features import USER_ID, VIDEO_ID
from uvcan_tf.model.row_tables import facet_specs
from uvcan_tf.network.co_attention import CoAttentionNetwork


class NaiveModel(tf.keras.Model):
    """Dicts of features in, logits out."""

    def __init__(self, dataset: Dataset, config: Config) -> None:
        super().__init__()
        specs = facet_specs(dataset)
        self._columns = [[facet.name for facet in facets] for facets in specs]
        self._network = CoAttentionNetwork(
            *specs,
            factors=config.model.factors,
            hops=config.model.hops,
            hidden=config.model.hidden_widths,
        )

    def call(self, columns: dict[str, tf.Tensor]) -> tf.Tensor:
        user, video = (
            {name: columns[name][:, None] for name in names} for names in self._columns
        )
        return self._network(user, video).logits


def examples(dataset: Dataset, config: Config) -> tf.data.Dataset:
    """One epoch of batches of (features, label)."""
    negatives = config.training.negatives
    rng = np.random.default_rng(config.training.seed)
    observed = dataset.train
    user = np.repeat(observed.user, 1 + negatives)
    video = rng.integers(1, dataset.videos.size + 1, len(user), np.int32)
    video[:: 1 + negatives] = observed.video
    label = (np.arange(len(user)) % (1 + negatives) == 0).astype(np.float32)
    tables = _tables(dataset.users, USER_ID), _tables(dataset.videos, VIDEO_ID)

    def look_up(user: tf.Tensor, video: tf.Tensor, label: tf.Tensor) -> Any:
        rows = zip(tables, (user, video), strict=True)
        columns = {n: c[row] for table, row in rows for n, c in table.items()}
        return columns, label

    pairs = tf.data.Dataset.from_tensor_slices((user, video, label))
    return (
        pairs.shuffle(100_000, seed=config.training.seed)
        .map(look_up, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(config.training.batch_size * (1 + negatives))
        .prefetch(tf.data.AUTOTUNE)
    )


def compiled(dataset: Dataset, config: Config) -> NaiveModel:
    """Ready to fit."""
    model = NaiveModel(dataset, config)
    model.compile(
        optimizer=tf.keras.optimizers.Adam(config.training.learning_rate),
        loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


def _tables(side: Side, identity: str) -> dict[str, tf.Tensor]:
    columns = {name: tf.constant(column) for name, column in side.columns.items()}
    return {**columns, identity: tf.range(side.size + 2)}
