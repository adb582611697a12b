"""TFDV's statistics and anomalies of a run, as the page tells them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2


class Column(NamedTuple):
    """One feature of a split.

    Attributes:
      name: of the feature.
      kind: what its values are.
      missing: the share of rows without a value.
      content: in words.
      counts: of its histogram.
    """

    name: str
    kind: str
    missing: float
    content: str
    counts: tuple[float, ...]


class Split(NamedTuple):
    """One split of the examples."""

    name: str
    rows: int
    columns: tuple[Column, ...]


def splits(folder: Path) -> list[Split]:
    """All splits of StatisticsGen's folder."""
    return [_split(path) for path in sorted(folder.glob("Split-*/FeatureStats.pb"))]


def anomalies(folders: list[Path]) -> list[str]:
    """A sentence for each anomaly that the validators found."""
    return [
        f"Split '{file.parent.name[6:]}', feature '{name}': {info.description}"
        for folder in folders
        for file in sorted(folder.glob("Split-*/SchemaDiff.pb"))
        for name, info in sorted(_anomalies(file).anomaly_info.items())
    ]


def _anomalies(file: Path) -> Any:
    return anomalies_pb2.Anomalies.FromString(file.read_bytes())


def _split(file: Path) -> Split:
    content = statistics_pb2.DatasetFeatureStatisticsList()
    content.ParseFromString(file.read_bytes())
    (dataset,) = content.datasets
    columns = tuple(_columns(dataset))
    return Split(file.parent.name[6:], int(dataset.num_examples), columns)


def _columns(dataset: Any) -> Iterator[Column]:
    for feature in dataset.features:
        name = feature.name or ".".join(feature.path.step)
        kind = feature.WhichOneof("stats")
        stats = getattr(feature, kind)
        common = stats.common_stats
        rows = common.num_non_missing + common.num_missing
        missing = common.num_missing / rows if rows else 1.0
        if kind == "string_stats":
            yield Column(name, "text", missing, *_of_strings(stats))
        elif kind == "num_stats":
            yield Column(name, "number", missing, *_of_numbers(stats))
        else:
            yield Column(name, kind.partition("_")[0], missing, "", ())


def _of_strings(stats: Any) -> tuple[str, tuple[float, ...]]:
    most = ", ".join(
        f"{top.value} ({top.frequency:,.0f})" for top in list(stats.top_values)[:3]
    )
    buckets = list(stats.rank_histogram.buckets)[:20]
    counts = tuple(bucket.sample_count for bucket in buckets)
    values = "value" if stats.unique == 1 else "values"
    return f"{stats.unique:,} {values}; most often {most}", counts


def _of_numbers(stats: Any) -> tuple[str, tuple[float, ...]]:
    length = stats.common_stats.max_num_values
    each = f"{length} numbers, " if length > 1 else ""
    content = (
        f"{each}{stats.min:.4g} to {stats.max:.4g}, mean {stats.mean:.4g}, "
        f"deviation {stats.std_dev:.4g}"
    )
    for histogram in stats.histograms:
        return content, tuple(bucket.sample_count for bucket in histogram.buckets)
    return content, ()
