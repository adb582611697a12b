"""Runs the pipeline on this machine."""

from __future__ import annotations

import logging
from pathlib import Path

from absl import logging as absl_logging
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner

from tfx_pipeline import schema
from tfx_pipeline.baseline import PreviousBlessedModel
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.pipeline import create_pipeline
from tfx_pipeline.stopwatch import Stopwatch
from tfx_pipeline.store import STORE


def run(config: PipelineConfig, watch: Stopwatch) -> None:
    """Runs every component that is not cached; `timings.json` tells how long each took.

    Raises:
      Exception: whatever stopped a component.
    """
    root = Path(config.root)
    folder = Path(config.schemas) / schema.fingerprint(config.features)
    schema.write_for_pipeline(config.features, folder)
    connection = metadata.sqlite_metadata_connection_config(str(root / STORE))
    absl_logging.set_verbosity(absl_logging.INFO)
    logger = logging.getLogger("absl")
    logger.addHandler(watch)
    try:
        LocalDagRunner().run(create_pipeline(config, PreviousBlessedModel, connection))
    finally:
        logger.removeHandler(watch)
        watch.write(root / "timings.json")
