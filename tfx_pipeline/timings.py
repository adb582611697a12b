"""How long each component took, by ML Metadata's own times."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from tfx_pipeline.memory import peak_mb
from tfx_pipeline.store import last_execution

FILE: Final = "timings.json"


@dataclasses.dataclass(frozen=True)
class Timing:
    """One component's share of a run; `peak_mb` is the process's, while it ran.

    ML Metadata knows nothing of memory: of a run without a file it is None.
    """

    component: str
    wall_s: float
    peak_mb: float | None
    cached: bool


def of_node(store: mlmd.MetadataStore, node: str) -> Timing:
    """The time between the start and the last state of the node's last execution."""
    execution = last_execution(store, node)
    if execution is None:  # the node was skipped
        return Timing(node, 0.0, peak_mb(), cached=False)
    return dataclasses.replace(of_execution(node, execution), peak_mb=peak_mb())


def of_execution(node: str, execution: metadata_store_pb2.Execution) -> Timing:
    """What ML Metadata tells of one execution."""
    took_ms = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    cached = execution.last_known_state == metadata_store_pb2.Execution.CACHED
    return Timing(node, round(took_ms / 1000, 2), None, cached)


def write(timings: Sequence[Timing], path: Path) -> None:
    """Writes the timings as JSON."""
    content = [dataclasses.asdict(timing) for timing in timings]
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> list[Timing]:
    """What `write` wrote."""
    return [Timing(**content) for content in json.loads(path.read_text("utf-8"))]
