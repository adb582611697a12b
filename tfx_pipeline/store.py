"""What the metadata store knows of the last execution of a node."""

from __future__ import annotations

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

#: The store of a local run, under its root.
STORE = "metadata.sqlite"

_OUTPUT = metadata_store_pb2.Event.OUTPUT


def connect(file: str) -> mlmd.MetadataStore:
    """Opens the store of a local run."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = file
    return mlmd.MetadataStore(config)


def last_outputs(
    store: mlmd.MetadataStore, node: str
) -> list[metadata_store_pb2.Artifact]:
    """Artifacts that the node's last execution gave, itself or from the cache."""
    executions = [
        execution
        for context in store.get_contexts_by_type("node")
        if context.name.endswith(f".{node}")
        for execution in store.get_executions_by_context(context.id)
    ]
    if not executions:
        return []
    last = max(execution.id for execution in executions)
    events = store.get_events_by_execution_ids([last])
    ids = [event.artifact_id for event in events if event.type == _OUTPUT]
    return list(store.get_artifacts_by_id(ids)) if ids else []
