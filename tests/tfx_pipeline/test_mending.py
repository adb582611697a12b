"""What the store says of a root is made true before a run."""

import shutil
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb2

from tfx_pipeline.config import EXPORTED_BY
from tfx_pipeline.mending import drop_used_checkpoints, mend, remember
from tfx_pipeline.store import STORE, connect

pytestmark = pytest.mark.slow  # TFX's import

State = pb2.Execution


class Root:
    """A root with a store, written as TFX writes it, without running TFX."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.store: mlmd.MetadataStore = connect(str(folder / STORE))
        self._types = {
            name: self.store.put_artifact_type(pb2.ArtifactType(name=name))
            for name in ("Model", "ModelBlessing", "PushedModel")
        }
        self._execution = self.store.put_execution_type(pb2.ExecutionType(name="any"))
        self._context = self.store.put_context_type(pb2.ContextType(name="node"))

    def ran(
        self, node: str, state: "State.State", kind: str = "Model", **notes: str | int
    ) -> tuple[int, Path]:
        """An execution of the node with one output that holds one file."""
        [number] = self.store.put_executions([pb2.Execution(type_id=self._execution)])
        place = self.folder / node / kind.lower() / str(number)
        place.mkdir(parents=True)
        (place / "file").write_text("content")
        artifact = pb2.Artifact(
            type_id=self._types[kind], uri=str(place), state=pb2.Artifact.LIVE
        )
        for name, note in notes.items():
            value = artifact.custom_properties[name]
            if isinstance(note, int):
                value.int_value = note
            else:
                value.string_value = note
        execution = pb2.Execution(
            id=number, type_id=self._execution, last_known_state=state
        )
        context = pb2.Context(type_id=self._context, name=f"uvcan.{node}")
        event = pb2.Event(type=pb2.Event.OUTPUT)
        complete = state == State.COMPLETE
        self.store.put_execution(
            execution,
            [(artifact, event)] if complete else [],
            [context],
            reuse_context_if_already_exist=True,
        )
        if complete:
            remember(self.store, node)
        return number, place

    def mended(self) -> list[str]:
        said: list[str] = []
        mend(self.folder, said.append)
        return said

    def live(self) -> set[str]:
        artifacts = connect(str(self.folder / STORE)).get_artifacts()
        return {a.uri for a in artifacts if a.state == pb2.Artifact.LIVE}


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path / "root")


def test_executions_that_seem_to_run_are_closed(root: Root) -> None:
    number, _ = root.ran("Trainer", State.RUNNING)
    root.mended()
    [execution] = root.store.get_executions_by_id([number])
    assert execution.last_known_state == State.FAILED


def test_the_outputs_of_unfinished_executions_are_swept_away(root: Root) -> None:
    _, whole = root.ran("Trainer", State.COMPLETE)
    _, killed = root.ran("Trainer", State.RUNNING)
    _, failed = root.ran("Trainer", State.FAILED)
    root.mended()
    assert whole.exists() and not killed.exists() and not failed.exists()


def test_an_untouched_root_stays_as_it_is_and_nothing_is_said(root: Root) -> None:
    root.ran("Trainer", State.COMPLETE)
    before = [a.SerializeToString() for a in root.store.get_artifacts()]
    assert root.mended() == []
    assert [a.SerializeToString() for a in root.store.get_artifacts()] == before


@pytest.mark.parametrize("what", ["deleted", "emptied", "shortened"])
def test_an_output_that_is_not_as_it_was_made_counts_no_more(
    root: Root, what: str
) -> None:
    _, place = root.ran("Trainer", State.COMPLETE)
    if what == "deleted":
        shutil.rmtree(place)
    elif what == "emptied":
        (place / "file").unlink()
    else:
        (place / "file").write_text("cont")
    [said] = root.mended()
    assert "made anew where it is needed: Trainer/model/" in said
    assert root.live() == set()
    assert root.mended() == []


def test_a_pushed_version_that_was_deleted_counts_no_more(root: Root) -> None:
    version = root.folder / "serving" / "uvcan" / "7"
    version.mkdir(parents=True)
    destination = {"pushed_destination": str(version)}
    root.ran("Pusher", State.COMPLETE, "PushedModel", **destination)
    version.rmdir()
    assert "serving/uvcan/7" in root.mended()[0]
    assert root.live() == set()


def _blessed(root: Root) -> Path:
    root.ran("Trainer", State.COMPLETE)
    place = next(
        Path(a.uri)
        for a in reversed(root.store.get_artifacts())
        if a.uri.startswith(str(root.folder / "Trainer"))
    )
    [model] = [a for a in root.store.get_artifacts() if a.uri == str(place)]
    notes = {"blessed": 1, "current_model_id": model.id}
    root.ran("Evaluator", State.COMPLETE, "ModelBlessing", **notes)
    return place


def test_a_baseline_that_is_gone_is_told_with_what_takes_its_place(root: Root) -> None:
    first = _blessed(root)
    _, second = None, _blessed(root)
    shutil.rmtree(max(first, second, key=lambda path: int(path.name)))
    [_, said] = root.mended()
    left = min(first, second, key=lambda path: int(path.name))
    assert said.endswith(f"is compared with {left.relative_to(root.folder)}.")
    shutil.rmtree(left)
    [_, said] = root.mended()
    assert said.endswith("is compared with no other.")


def test_a_moved_root_finds_its_outputs_again(root: Root, tmp_path: Path) -> None:
    _, place = root.ran("Trainer", State.COMPLETE)
    inside = place.relative_to(root.folder)
    root.folder = Path(shutil.move(root.folder, tmp_path / "moved"))
    assert root.mended() == []
    assert root.live() == {str(root.folder / inside)}


def test_checkpoints_are_kept_until_the_model_is_published(root: Root) -> None:
    published, _ = root.ran("Trainer", State.COMPLETE)
    killed, _ = root.ran("Trainer", State.RUNNING)
    folders = {}
    for name, exported_by in (("a", published), ("b", killed), ("c", None)):
        folders[name] = root.folder / "checkpoints" / name
        folders[name].mkdir(parents=True)
        if exported_by is not None:
            (folders[name] / EXPORTED_BY).write_text(str(exported_by))
    drop_used_checkpoints(root.store, root.folder)
    assert [name for name, path in folders.items() if path.exists()] == ["b", "c"]
