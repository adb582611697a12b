"""Puts a root in order before a run: whatever ended the last one, and whoever moved it.

A killed run leaves executions that seem to run, and folders that nobody finished. A
person deletes a folder, or moves the root. What the store says is made true again, so
that nothing counts as done whose result is not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb2

from tfx_pipeline.config import CHECKPOINTS, EXPORTED_BY
from tfx_pipeline.store import (
    STORE,
    connect,
    last_execution,
    node_names,
    outputs,
)

_CONTENTS: Final = "contents"
_DESTINATION: Final = "pushed_destination"
_PARTS: Final = 3  # node/key/execution, and serving/name/version
_UNFINISHED: Final = (pb2.Execution.NEW, pb2.Execution.RUNNING)


def mend(root: Path, say: Callable[[str], None]) -> None:
    """Closes, finds again, forgets and sweeps what earlier runs left under the root.

    Args:
      root: whose lock the caller holds.
      say: called with a sentence on each thing that its user should know.
    """
    if not (root / STORE).exists():
        return
    store = connect(str(root / STORE))
    _close_unfinished(store)
    _find_again(store, root)
    _forget_gone(store, root, say)
    _sweep(store, root)
    drop_used_checkpoints(store, root)


def remember(store: mlmd.MetadataStore, node: str) -> None:
    """Notes what the node's last execution left on disk, to be compared later.

    The note is on the execution: one on an artifact would change the cache's key.
    """
    execution = last_execution(store, node)
    if execution is None or execution.last_known_state != pb2.Execution.COMPLETE:
        return
    contents = {a.id: _contents(a) for a in outputs(store, execution.id)}
    execution.custom_properties[_CONTENTS].string_value = json.dumps(contents)
    store.put_executions([execution])


def drop_used_checkpoints(store: mlmd.MetadataStore, root: Path) -> None:
    """Deletes the checkpoints of models that are published: they are of no more use."""
    complete = _complete(store)
    for note in (root / CHECKPOINTS).glob(f"*/{EXPORTED_BY}"):
        if note.read_text(encoding="ascii") in complete:
            shutil.rmtree(note.parent)


def _close_unfinished(store: mlmd.MetadataStore) -> None:
    unfinished = [
        execution
        for execution in store.get_executions()
        if execution.last_known_state in _UNFINISHED
    ]
    for execution in unfinished:
        execution.last_known_state = pb2.Execution.FAILED
    store.put_executions(unfinished)


def _find_again(store: mlmd.MetadataStore, root: Path) -> None:
    """Points every artifact to this root, where a moved or copied one has it."""
    moved = []
    for artifact in store.get_artifacts():
        before = artifact.SerializeToString()
        artifact.uri = _below(root, artifact.uri)
        destination = _destination(artifact)
        if destination:
            artifact.custom_properties[_DESTINATION].string_value = _below(
                root, destination
            )
        if artifact.SerializeToString() != before:
            moved.append(artifact)
    store.put_artifacts(moved)


def _below(root: Path, address: str) -> str:
    """The address under this root, if something is there."""
    path = Path(address)
    if path.is_relative_to(root):
        return address
    here = root.joinpath(*path.parts[-_PARTS:])
    return str(here) if here.exists() else address


def _forget_gone(
    store: mlmd.MetadataStore, root: Path, say: Callable[[str], None]
) -> None:
    """Marks as deleted what is not as it was made; the cache then passes it by."""
    noted = _noted(store)
    live = [a for a in store.get_artifacts() if a.state == pb2.Artifact.LIVE]
    gone = [a for a in live if not _is_as_made(a, noted.get(a.id))]
    if not gone:
        return
    for artifact in gone:
        artifact.state = pb2.Artifact.DELETED
    store.put_artifacts(gone)
    places = sorted({_place(artifact, root) for artifact in gone})
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    say(
        f"Deleted or changed since it was made, and made anew where it is needed: "
        f"{', '.join(places[:3])}{more}."
    )
    blessed = _blessed(live)
    if blessed and blessed[-1] in gone:
        left = [model for model in blessed if model not in gone]
        instead = f"with {_place(left[-1], root)}" if left else "with no other"
        say(
            f"The last blessed model, {_place(blessed[-1], root)}, is gone: a new "
            f"model is compared {instead}."
        )


def _blessed(artifacts: list[pb2.Artifact]) -> list[pb2.Artifact]:
    """The blessed models, the newest last."""
    ids = {
        artifact.custom_properties["current_model_id"].int_value
        for artifact in artifacts
        if artifact.type == "ModelBlessing"
        and artifact.custom_properties["blessed"].int_value == 1
    }
    return sorted((a for a in artifacts if a.id in ids), key=lambda a: a.id)


def _noted(store: mlmd.MetadataStore) -> dict[int, str]:
    """What `remember` noted, by the artifact's id."""
    notes: dict[int, str] = {}
    for execution in store.get_executions():
        if _CONTENTS in execution.custom_properties:
            note = json.loads(execution.custom_properties[_CONTENTS].string_value)
            notes.update({int(key): value for key, value in note.items()})
    return notes


def _is_as_made(artifact: pb2.Artifact, noted: str | None) -> bool:
    if noted is not None:
        return _contents(artifact) == noted
    return all(path.exists() for path in _paths(artifact))


def _contents(artifact: pb2.Artifact) -> str:
    """A fingerprint of the names and sizes of all of the artifact's files."""
    digest = hashlib.sha256()
    for path in _paths(artifact):
        files = [path, *sorted(path.rglob("*"))] if path.exists() else []
        for file in files:
            size = file.stat().st_size if file.is_file() else 0
            digest.update(f"{file.relative_to(path)}\0{size}\n".encode())
    return digest.hexdigest()[:16]


def _paths(artifact: pb2.Artifact) -> Iterator[Path]:
    yield Path(artifact.uri)
    destination = _destination(artifact)
    if destination:
        yield Path(destination)


def _destination(artifact: pb2.Artifact) -> str:
    if _DESTINATION not in artifact.custom_properties:
        return ""
    return artifact.custom_properties[_DESTINATION].string_value


def _place(artifact: pb2.Artifact, root: Path) -> str:
    missing = [path for path in _paths(artifact) if not path.exists()]
    path = missing[0] if missing else Path(artifact.uri)
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _complete(store: mlmd.MetadataStore) -> set[str]:
    """The ids of the executions whose outputs are published."""
    return {
        str(execution.id)
        for execution in store.get_executions()
        if execution.last_known_state == pb2.Execution.COMPLETE
    }


def _sweep(store: mlmd.MetadataStore, root: Path) -> None:
    """Deletes the folders of executions that did not come to their end."""
    complete = _complete(store)
    for node in node_names(store):
        folders = (*root.glob(f"{node}/*/*"), *root.glob(f"{node}/.system/*/*"))
        for folder in folders:
            if folder.name.isdigit() and folder.name not in complete:
                shutil.rmtree(folder)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(root / node / ".system" / "stateful_working_dir")
