"""What the metadata store knows of the last execution of a node."""

from __future__ import annotations

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

#: The store of a local run, under its root.
STORE = "metadata.sqlite"
#: The node of ExampleGen, as TFX names it.
EXAMPLE_GEN = "FileBasedExampleGen"

_INPUT = metadata_store_pb2.Event.INPUT
_OUTPUT = metadata_store_pb2.Event.OUTPUT


def connect(file: str) -> mlmd.MetadataStore:
    """Opens the store of a local run."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = file
    return mlmd.MetadataStore(config)


def last_execution(
    store: mlmd.MetadataStore, node: str
) -> metadata_store_pb2.Execution | None:
    """The node's newest execution; None where there was none."""
    executions = (
        execution
        for context in _nodes(store)
        if context.name.partition(".")[2] == node
        for execution in store.get_executions_by_context(context.id)
    )
    return max(executions, key=lambda execution: execution.id, default=None)


def last_outputs(
    store: mlmd.MetadataStore, node: str
) -> list[metadata_store_pb2.Artifact]:
    """Artifacts that the node's last execution gave, itself or from the cache."""
    last = last_execution(store, node)
    return [] if last is None else outputs(store, last.id)


def outputs(
    store: mlmd.MetadataStore, execution_id: int
) -> list[metadata_store_pb2.Artifact]:
    """Artifacts that an execution gave, itself or from the cache."""
    events = store.get_events_by_execution_ids([execution_id])
    ids = [event.artifact_id for event in events if event.type == _OUTPUT]
    return list(store.get_artifacts_by_id(ids)) if ids else []


def made_of(store: mlmd.MetadataStore, artifact: int) -> set[int]:
    """The artifacts that the executions read which made this one."""
    made = store.get_events_by_artifact_ids([artifact])
    makers = list({e.execution_id for e in made if e.type == _OUTPUT})
    events = store.get_events_by_execution_ids(makers) if makers else []
    return {event.artifact_id for event in events if event.type == _INPUT}


def node_names(store: mlmd.MetadataStore) -> list[str]:
    """The names of all nodes that ever ran."""
    return [context.name.partition(".")[2] for context in _nodes(store)]


def _nodes(store: mlmd.MetadataStore) -> list[metadata_store_pb2.Context]:
    return list(store.get_contexts_by_type("node"))


def pipeline_runs(store: mlmd.MetadataStore) -> list[metadata_store_pb2.Context]:
    """The runs that the store knows of, the first one first."""
    runs = store.get_contexts_by_type("pipeline_run")
    return sorted(runs, key=lambda run: run.id)


def executions_of(
    store: mlmd.MetadataStore, run: metadata_store_pb2.Context
) -> dict[str, metadata_store_pb2.Execution]:
    """The executions of one run by the names of their nodes, in their order."""
    inside = {e.id: e for e in store.get_executions_by_context(run.id)}
    found = {
        execution.id: context.name.partition(".")[2]
        for context in _nodes(store)
        for execution in store.get_executions_by_context(context.id)
        if execution.id in inside
    }
    return {found[number]: inside[number] for number in sorted(found)}


def node_of_execution(store: mlmd.MetadataStore, execution_id: int) -> str:
    """The name of the node that an execution belongs to."""
    contexts = store.get_contexts_by_execution(execution_id)
    names = {c.name.partition(".")[2] for c in contexts if c.type == "node"}
    return names.pop() if names else ""
