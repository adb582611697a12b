"""A checkpoint between the stock components: bad data and lost rows stop here.

ExampleValidator only writes what it found; `AnomalyGate` reads it and stops the run.
"""

# No `from __future__ import annotations`: TFX reads the annotations at run time.

import os
from collections.abc import Sequence

import click
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.component.experimental.annotations import InputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils
from tfx.types.standard_artifacts import (
    ExampleAnomalies,
    Examples,
    ExampleStatistics,
)

from tfx_pipeline import drift, rows
from tfx_pipeline.config import STOP
from uvcan_tf.errors import UvcanError


class AnomalyError(UvcanError):
    """The data is not what its schema says; the message names split and feature."""


def stop_or_warn(found: Sequence[str], reaction: str, error: UvcanError) -> None:
    """Raises the error where anything was found, or says it, as the reaction is."""
    if found and reaction == STOP:
        raise error
    for sentence in found:
        click.echo(f"  Warning: {sentence}", err=True)


@component
def AnomalyGate(
    examples: InputArtifact[Examples],
    statistics: InputArtifact[ExampleStatistics],
    interactions: InputArtifact[ExampleAnomalies],
    users: InputArtifact[ExampleAnomalies],
    videos: InputArtifact[ExampleAnomalies],
) -> None:
    """Stops at an anomaly, or where statistics saw other rows than were written."""
    rows.check("StatisticsGen", rows.recorded(examples), _seen(statistics))
    stop_at_anomalies(interactions, users, videos)


def stop_at_anomalies(*artifacts: Artifact) -> None:
    """Raises `AnomalyError` with a sentence for each anomaly, if there is one."""
    found = [
        sentence
        for artifact in artifacts
        for split in artifact_utils.decode_split_names(artifact.split_names)
        for sentence in _sentences(artifact, split)
    ]
    if found:
        raise AnomalyError(" ".join(found))


def _seen(statistics: Artifact) -> dict[str, int]:
    names = artifact_utils.decode_split_names(statistics.split_names)
    return {name: _examples_seen(statistics, name) for name in names}


def _examples_seen(statistics: Artifact, split: str) -> int:
    view = stats_artifact_utils.load_statistics(statistics, split)
    return int(view.proto().datasets[0].num_examples)


def _sentences(artifact: Artifact, split: str) -> list[str]:
    folder = artifact_utils.get_split_uri([artifact], split)
    anomalies = anomalies_pb2.Anomalies()
    with fileio.open(os.path.join(folder, "SchemaDiff.pb"), "rb") as file:
        anomalies.ParseFromString(file.read())
    return list(drift.sentences(anomalies, split))
