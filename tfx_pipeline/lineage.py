"""What a pushed model was made from, as ML Metadata tells it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb2

from tfx_pipeline.store import node_of_execution
from uvcan_tf.errors import ConfigError


class Step(NamedTuple):
    """One execution that a model depends on.

    Attributes:
      node: of the pipeline.
      number: of the execution.
      began: local time.
      took_s: seconds.
      made: type and place of what it made, below the root where it lies there.
    """

    node: str
    number: int
    began: str
    took_s: float
    made: tuple[tuple[str, str], ...]


def of_version(store: mlmd.MetadataStore, root: Path, version: str) -> list[Step]:
    """All executions that a pushed version depends on, the first one first.

    Raises:
      ConfigError: nothing of that name was pushed.
    """
    pushed = {
        Path(a.custom_properties["pushed_destination"].string_value).name: a
        for a in store.get_artifacts_by_type("PushedModel")
        if "pushed_destination" in a.custom_properties
    }
    if version not in pushed:
        raise ConfigError(
            f"VERSION should be one that was pushed from {root}: "
            f"{', '.join(sorted(pushed)) or 'there is none'}. Received: {version!r}."
        )
    return of_artifacts(store, root, [pushed[version].id])


def of_artifacts(
    store: mlmd.MetadataStore, root: Path, artifacts: Iterable[int]
) -> list[Step]:
    """All executions that some artifacts depend on, the first one first."""
    left, found = set(artifacts), dict[int, pb2.Execution]()
    while left:
        makers = _makers(store, left) - found.keys()
        found |= {e.id: e for e in store.get_executions_by_id(list(makers))}
        events = store.get_events_by_execution_ids(list(makers)) if makers else []
        left = {e.artifact_id for e in events if e.type == pb2.Event.INPUT}
    return [_step(store, root, found[number]) for number in sorted(found)]


def _makers(store: mlmd.MetadataStore, artifacts: set[int]) -> set[int]:
    """The executions that made artifacts themselves, not those that found a cache."""
    makers: dict[int, int] = {}
    for event in store.get_events_by_artifact_ids(list(artifacts)):
        if event.type == pb2.Event.OUTPUT:
            first = makers.get(event.artifact_id, event.execution_id)
            makers[event.artifact_id] = min(first, event.execution_id)
    return set(makers.values())


def _step(store: mlmd.MetadataStore, root: Path, execution: pb2.Execution) -> Step:
    events = store.get_events_by_execution_ids([execution.id])
    ids = [e.artifact_id for e in events if e.type == pb2.Event.OUTPUT]
    made = store.get_artifacts_by_id(ids) if ids else []
    start, end = (
        execution.create_time_since_epoch / 1000,
        execution.last_update_time_since_epoch / 1000,
    )
    return Step(
        node=node_of_execution(store, execution.id),
        number=execution.id,
        began=f"{datetime.datetime.fromtimestamp(start):%Y-%m-%d %H:%M:%S}",
        took_s=round(end - start, 1),
        made=tuple((a.type, _place(a, root)) for a in made),
    )


def _place(artifact: pb2.Artifact, root: Path) -> str:
    destination = artifact.custom_properties["pushed_destination"].string_value
    path = Path(destination or artifact.uri)
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
