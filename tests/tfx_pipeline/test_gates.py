"""An anomaly that ExampleValidator wrote stops the run in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.types import Artifact
from tfx.types.standard_artifacts import ExampleAnomalies

from tfx_pipeline.gates import AnomalyError, stop_at_anomalies


def written(folder: Path, split: str, **found: str) -> Artifact:
    """What ExampleValidator leaves of one split: a description by feature."""
    anomalies = anomalies_pb2.Anomalies()
    for feature, description in found.items():
        anomalies.anomaly_info[feature].description = description
    path = folder / f"Split-{split}" / "SchemaDiff.pb"
    path.parent.mkdir(parents=True)
    path.write_bytes(anomalies.SerializeToString())
    artifact = ExampleAnomalies()
    artifact.uri, artifact.split_names = str(folder), f'["{split}"]'
    return artifact


def test_an_anomaly_is_named_by_split_and_feature(tmp_path: Path) -> None:
    users = written(tmp_path / "users", "users", location="Column is empty.")
    train = written(tmp_path / "interactions", "train", label="Values above 1.")
    with pytest.raises(AnomalyError) as error:
        stop_at_anomalies(train, users)
    assert str(error.value) == (
        "Split 'train', feature 'label': Values above 1. "
        "Split 'users', feature 'location': Column is empty."
    )


def test_without_anomalies_the_run_goes_on(tmp_path: Path) -> None:
    stop_at_anomalies(written(tmp_path, "videos"))
