"""Has the data changed more, since the last run that was let through, than it may?

TensorFlow Data Validation compares; this module says by how much each figure may move.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx.dsl.io import fileio

from uvcan_tf import features as names

#: A table may shrink to this share of its rows.
LEAST_ROWS: Final = 0.5
#: A feature may be there for so much less, as a share of all rows, than before.
FEWER_VALUES: Final = 0.2
#: A feature may have so many times the distinct values, as its table grows.
MORE_CATEGORIES: Final = 3.0
#: No value's share may move by more (the L-infinity distance).
MOVED_SHARE: Final = 0.3

#: What is compared; the rows of `eval` hold nothing that these do not.
COMPARED: Final = (names.USERS, names.VIDEOS, names.TRAIN)

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList


def read(folder: str) -> dict[str, Statistics]:
    """The statistics that were accepted last, by split; empty before the first run."""
    found = {}
    for split in COMPARED:
        path = os.path.join(folder, f"{split}.pb")
        if fileio.exists(path):
            with fileio.open(path, "rb") as file:
                found[split] = Statistics.FromString(file.read())
    return found


def accept(folder: str, statistics: Mapping[str, Statistics]) -> None:
    """Makes these the ones that the next run is compared with."""
    fileio.makedirs(folder)
    for split in COMPARED:
        path = os.path.join(folder, f"{split}.pb")
        with fileio.open(f"{path}.new", "wb") as file:
            file.write(statistics[split].SerializeToString())
        fileio.rename(f"{path}.new", path, overwrite=True)


def changes(
    before: Mapping[str, Statistics], now: Mapping[str, Statistics]
) -> Iterator[str]:
    """A sentence for each figure that moved more than it may.

    Times move on, and only a split in time has them. Popularity counts likes, so that
    it grows with the log; the feature by which they are counted is compared itself.
    """
    for split in before:
        accepted, found = (
            without(of[split], names.TIMESTAMP, names.POPULARITY)
            for of in (before, now)
        )
        bounds = _bounds(accepted.datasets[0], found.datasets[0].num_examples)
        anomalies = tfdv.validate_statistics(
            found, bounds, previous_statistics=accepted
        )
        for info in anomalies.dataset_anomaly_info.reason:
            yield f"Split '{split}': {info.description.rstrip('.')}."
        yield from sentences(anomalies, split)


def sentences(
    anomalies: anomalies_pb2.Anomalies, split: str | None = None
) -> Iterator[str]:
    """A sentence for each feature that TensorFlow Data Validation found wrong."""
    where = "Feature" if split is None else f"Split '{split}', feature"
    for name, info in sorted(anomalies.anomaly_info.items()):
        yield f"{where} '{name}': {info.description.rstrip('.')}."


def without(statistics: Statistics, *left_out: str) -> Statistics:
    """The same without some features."""
    kept = Statistics()
    kept.CopyFrom(statistics)
    features = kept.datasets[0].features
    for index in reversed(range(len(features))):
        if features[index].path.step[0] in left_out:
            del features[index]
    return kept


def expect(
    schema: schema_pb2.Schema,
    statistics: statistics_pb2.FeatureNameStatistics,
    rows: float,
) -> schema_pb2.Feature:
    """Adds a feature that is there as often as in these rows, or little less."""
    feature = schema.feature.add(name=statistics.path.step[0])
    there = _share(statistics, rows)
    feature.presence.min_fraction = max(there - FEWER_VALUES, 0.0)
    if statistics.WhichOneof("stats") == "string_stats":
        feature.type = schema_pb2.BYTES
    elif statistics.type == statistics_pb2.FeatureNameStatistics.FLOAT:
        feature.type = schema_pb2.FLOAT
    else:
        feature.type = schema_pb2.INT
    return feature


def _bounds(
    before: statistics_pb2.DatasetFeatureStatistics, rows_now: float
) -> schema_pb2.Schema:
    """What the new statistics may be, as a schema."""
    schema = schema_pb2.Schema()
    comparator = schema.dataset_constraints.num_examples_drift_comparator
    comparator.min_fraction_threshold = LEAST_ROWS
    growth = max(rows_now / max(before.num_examples, 1), 1.0)
    for statistics in before.features:
        feature = expect(schema, statistics, before.num_examples)
        if feature.type == schema_pb2.BYTES:
            feature.drift_comparator.infinity_norm.threshold = MOVED_SHARE
            most = statistics.string_stats.unique * growth * MORE_CATEGORIES
            feature.unique_constraints.max = int(most)
    return schema


def _share(statistics: statistics_pb2.FeatureNameStatistics, rows: float) -> float:
    """The share of rows in which the feature has a value."""
    [field] = [statistics.WhichOneof("stats")]
    common = getattr(statistics, field).common_stats
    return common.num_non_missing / rows if rows else 0.0
