"""Runs the pipeline on this machine."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from tfx_pipeline import baseline, lock, mending, runs, timings
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.example_gen import example_gen
from tfx_pipeline.memory import forget_peak
from tfx_pipeline.pipeline import Parts, create_pipeline
from tfx_pipeline.store import STORE, connect
from tfx_pipeline.timings import Timing
from uvcan_tf.beam_workers import watched

_PARTS = Parts(
    data=lambda config: [example_gen(config)],
    baseline=baseline.resolver,
    start=baseline.start,
)


def _nothing(_: Any) -> None:
    return None


def run(
    config: PipelineConfig,
    started: Callable[[str], None] = _nothing,
    finished: Callable[[Timing], None] = _nothing,
    say: Callable[[str], None] = _nothing,
) -> list[Timing]:
    """Runs every component that is not cached; `timings.json` tells how long each took.

    Args:
      config: what to run on.
      started: called with a component's name.
      finished: called with its timing.
      say: called with a sentence on what an earlier run, or a person, left behind.

    Raises:
      RootInUseError: another run works under the same root.
      WorkerLostError: a component's Beam pipeline lost a worker process.
      Exception: whatever stopped a component.
    """
    root = Path(config.root)
    found: list[Timing] = []

    def ended(node: str) -> None:
        store = connect(str(root / STORE))
        found.append(timings.of_node(store, node))
        mending.remember(store, node)
        finished(found[-1])

    with lock.held(root), watched():
        mending.mend(root, say)
        folder_of_run = runs.begin(connect(str(root / STORE)), root)
        connection = metadata.sqlite_metadata_connection_config(str(root / STORE))
        pipeline = create_pipeline(config, _PARTS, connection)
        try:
            _Runner(started, ended).run(pipeline)
        finally:
            for place in (root, folder_of_run):
                timings.write(found, place / timings.FILE)
        mending.drop_used_checkpoints(connect(str(root / STORE)), root)
    return found


class _Runner(LocalDagRunner):
    """TFX's runner, given one node after another, so that each can be watched."""

    def __init__(
        self, started: Callable[[str], None], ended: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._started, self._ended = started, ended

    def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, **options: Any) -> None:
        """Runs the nodes in their order, all under the same run id."""
        run_id = datetime.datetime.now().isoformat()
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
        )
        for node in pipeline.nodes:
            single = pipeline_pb2.Pipeline()
            single.CopyFrom(pipeline)
            del single.nodes[:]
            single.nodes.append(node)
            forget_peak()
            name = node.pipeline_node.node_info.id
            self._started(name)
            super().run_with_ir(single, **options)
            self._ended(name)
