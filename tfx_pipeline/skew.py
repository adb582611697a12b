"""Do requests tell of users what the tables tell of them?

TensorFlow Data Validation compares; this module says by how much they may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics.stats_impl import (
    generate_statistics_in_memory,
)
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from tfx_pipeline import snapshot
from tfx_pipeline.drift import MOVED_SHARE, Statistics, expect, sentences, without
from uvcan_tf import features as names
from uvcan_tf.data.tables import read_users
from uvcan_tf.features import Features

#: How far the numbers of a feature may differ (the Jensen-Shannon divergence, 0 to 1).
MOVED_NUMBERS: Final = 0.3


def of_requests(folder: Path, features: Features) -> Statistics:
    """Statistics of the table `users` of a folder, with a row for each request.

    Raises:
      DataError: the table lacks a declared column, or cannot be read.
    """
    users = read_users(folder, features)
    return generate_statistics_in_memory(snapshot.whole_batch(users))


def differences(tables: Statistics, requests: Statistics) -> Iterator[str]:
    """A sentence for each feature of users that requests tell otherwise.

    Args:
      tables: statistics of the users that are trained on.
      requests: statistics of requests, of the same features.
    """
    # Anybody may ask, as often as they like.
    trained, asked = (without(of, names.USER_ID) for of in (tables, requests))
    expected = _expected(trained.datasets[0])
    found = tfdv.validate_statistics(asked, expected)
    compared = tfdv.validate_statistics(trained, expected, serving_statistics=asked)
    for anomalies in (found, compared):
        yield from sentences(anomalies)


def _expected(tables: statistics_pb2.DatasetFeatureStatistics) -> schema_pb2.Schema:
    """What requests may be, as a schema."""
    schema = schema_pb2.Schema()
    for statistics in tables.features:
        feature = expect(schema, statistics, tables.num_examples)
        if feature.type == schema_pb2.BYTES:
            feature.skew_comparator.infinity_norm.threshold = MOVED_SHARE
        else:
            comparator = feature.skew_comparator.jensen_shannon_divergence
            comparator.threshold = MOVED_NUMBERS
    return schema
