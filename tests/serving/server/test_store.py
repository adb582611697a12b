"""Versions come and go without a gap."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from serving.server.history import State
from serving.server.lifecycle import Loading
from serving.server.savedmodel import SavedModel
from serving.server.status import Code, StatusError
from serving.server.storage import ModelConfig, latest_policy, wanted_versions
from serving.server.store import ModelStore
from serving.wire.protos import model_pb2
from tests.serving.conftest import break_version, until


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "m"
    folder.mkdir()
    return folder


@pytest.fixture
def store() -> Iterator[ModelStore]:
    loading = Loading(SavedModel, retries=1, pause_s=0.05)
    running = ModelStore(loading, poll_s=0.02)
    yield running
    running.stop()


def _publish(models: Path, base: Path, version: int) -> None:
    """The safe way: a copy under another name, then a rename."""
    shutil.copytree(models / "half_plus_two" / "1", base / ".tmp")
    (base / ".tmp").rename(base / str(version))


def _latest(store: ModelStore) -> int:
    with store.use(model_pb2.ModelSpec(name="m")) as servable:
        return servable.version


def _states(store: ModelStore) -> dict[int, State]:
    return {v: entry.state for v, entry in store.history.of("m").items()}


def test_the_newest_version_is_served(
    models: Path, base: Path, store: ModelStore
) -> None:
    for version in (1, 3, 2):
        _publish(models, base, version)
    store.apply([ModelConfig("m", base)])
    assert _latest(store) == 3
    assert _states(store) == {3: State.AVAILABLE}


def test_a_new_version_replaces_the_old_one_without_a_gap(
    models: Path, base: Path, store: ModelStore
) -> None:
    _publish(models, base, 1)
    store.apply([ModelConfig("m", base)])
    served: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            served.append(_latest(store))

    asking = threading.Thread(target=ask)
    asking.start()
    _publish(models, base, 2)
    until(lambda: _states(store) == {1: State.END, 2: State.AVAILABLE})
    stop.set()
    asking.join()
    assert served == sorted(served) and set(served) == {1, 2}


def test_removing_the_newest_version_rolls_back(
    models: Path, base: Path, store: ModelStore
) -> None:
    _publish(models, base, 1)
    _publish(models, base, 2)
    store.apply([ModelConfig("m", base)])
    (base / "2").rename(base / ".gone")
    until(lambda: _states(store) == {1: State.AVAILABLE, 2: State.END})
    assert _latest(store) == 1


def test_a_broken_version_leaves_the_old_one_serving(
    models: Path, base: Path, store: ModelStore
) -> None:
    _publish(models, base, 1)
    store.apply([ModelConfig("m", base)])
    break_version(base / "2")
    until(lambda: _states(store).get(2) == State.END)
    assert _states(store)[1] == State.AVAILABLE
    assert _latest(store) == 1
    entry = store.history.of("m")[2]
    assert entry.code == Code.OUT_OF_RANGE
    assert entry.message == "Read less bytes than requested"


def test_a_version_that_failed_is_forgotten_once_its_folder_changes(
    models: Path, base: Path, store: ModelStore
) -> None:
    _publish(models, base, 1)
    store.apply([ModelConfig("m", base)])
    break_version(base / "2")
    until(lambda: _states(store).get(2) == State.END)
    shutil.copytree(models / "half_plus_two" / "1", base / "2", dirs_exist_ok=True)
    until(lambda: _latest(store) == 2)
    break_version(base / "3")
    until(lambda: _states(store).get(3) == State.END)
    shutil.rmtree(base / "3")
    time.sleep(0.1)
    _publish(models, base, 3)
    until(lambda: _latest(store) == 3)


def test_a_version_that_is_not_whole_is_not_taken_and_said_once(
    models: Path, base: Path, store: ModelStore, caplog: pytest.LogCaptureFixture
) -> None:
    _publish(models, base, 1)
    (base / "2").mkdir()
    (base / "3").symlink_to(base / "nowhere")
    (base / "4").write_text("a file")
    shutil.copytree(models / "uvcan" / "1", base / "5")
    (base / "5" / "variables" / "variables.index").unlink()
    store.apply([ModelConfig("m", base)])
    assert _latest(store) == 1
    time.sleep(0.1)  # several looks
    for version in (2, 3, 4):
        assert caplog.text.count(f"{base / str(version)} is not taken, for it has") == 1
    assert "for it has no variables/variables.index. Copy a version" in caplog.text
    assert _states(store) == {1: State.AVAILABLE}
    shutil.copytree(models / "half_plus_two" / "1", base / "2", dirs_exist_ok=True)
    until(lambda: _latest(store) == 2)


def test_a_version_without_its_variables_fails_to_load(
    base: Path, store: ModelStore
) -> None:
    module = tf.Module()
    module.v = tf.Variable(2.0)
    half = tf.function(lambda x: {"y": x * module.v})
    x = tf.TensorSpec([], tf.float32, name="x")
    tf.saved_model.save(module, str(base / "1"), half.get_concrete_function(x))
    shutil.rmtree(base / "1" / "variables")
    with pytest.raises(StatusError, match=f"folder {base}/1/variables is missing."):
        store.apply([ModelConfig("m", base)])


def test_what_is_waited_for_is_said(
    models: Path, base: Path, store: ModelStore, caplog: pytest.LogCaptureFixture
) -> None:
    def told(path: Path) -> str:
        caplog.clear()
        with pytest.raises(StatusError, match="no version that is ready yet"):
            store.apply([ModelConfig("m", path)], timeout_s=0.2)
        return caplog.text

    assert "Found: an empty folder." in told(base)
    (base / "v1.0").mkdir()
    assert f"{base} should hold a folder whose name is a whole" in told(base)
    (base / "8").mkdir()
    assert "Found: 8 (it has no saved_model.pb), v1.0." in told(base)
    assert "there is no such folder" in told(base / "nowhere")
    assert "a version itself" in told(models / "half_plus_two" / "1")


def test_a_repair_within_the_retries_is_picked_up(
    models: Path, base: Path, store: ModelStore
) -> None:
    _publish(models, base, 1)
    store._loading = Loading(SavedModel, retries=200, pause_s=0.02)
    store.apply([ModelConfig("m", base)])
    break_version(base / "2")
    until(lambda: _states(store).get(2) == State.LOADING)
    shutil.copytree(models / "half_plus_two" / "1", base / "2", dirs_exist_ok=True)
    until(lambda: _latest(store) == 2)


def test_removing_all_versions_unloads_everything(
    models: Path, base: Path, store: ModelStore
) -> None:
    _publish(models, base, 1)
    store.apply([ModelConfig("m", base)])
    (base / "1").rename(base / ".gone")
    until(lambda: _states(store) == {1: State.END})
    with pytest.raises(StatusError, match=r"NOT_FOUND: Servable not .* Latest\(m\)"):
        _latest(store)


def test_removing_the_base_path_changes_nothing(
    models: Path, base: Path, store: ModelStore
) -> None:
    _publish(models, base, 1)
    store.apply([ModelConfig("m", base)])
    base.rename(base.with_name("hidden"))
    time.sleep(0.1)
    assert _latest(store) == 1


def test_a_call_in_progress_keeps_its_version(
    models: Path, base: Path, store: ModelStore
) -> None:
    _publish(models, base, 1)
    store.apply([ModelConfig("m", base)])
    with store.use(model_pb2.ModelSpec(name="m")) as servable:
        _publish(models, base, 2)
        until(lambda: _latest(store) == 2)
        assert _states(store)[1] == State.UNLOADING
        y = servable.model.signatures["serving_default"].outputs["y"].name
        x = servable.model.signatures["serving_default"].inputs["x"].name
        [value] = servable.model.run({x: np.array([2.0], np.float32)}, [y])
        assert value.tolist() == [3.0]
    until(lambda: _states(store)[1] == State.END)


def test_a_version_that_never_loads_stops_the_start(
    base: Path, store: ModelStore
) -> None:
    break_version(base / "3")
    with pytest.raises(StatusError) as caught:
        store.apply([ModelConfig("m", base)])
    assert caught.value.code == Code.UNKNOWN
    assert caught.value.message.startswith(
        "1 servable(s) did not become available: {{{name: m version: 3} due to error: "
        "OUT_OF_RANGE: Read less bytes"
    )


def test_a_reload_that_fails_leaves_no_trace(
    models: Path, base: Path, store: ModelStore
) -> None:
    _publish(models, base, 1)
    store.apply([ModelConfig("m", base)])
    broken = base.with_name("broken")
    break_version(broken / "1")
    with pytest.raises(StatusError, match="servable\\(s\\) did not become available"):
        store.apply([ModelConfig("n", broken)])
    empty = base.with_name("empty")
    empty.mkdir()
    with pytest.raises(StatusError, match="has no version that is ready yet"):
        store.apply([ModelConfig("n", empty)], timeout_s=0.2)
    for labels in ({"stable": 9},):
        with pytest.raises(StatusError, match="not currently available"):
            store.apply([ModelConfig("n", base, labels=labels)])
    assert _latest(store) == 1
    assert _states(store) == {1: State.AVAILABLE}
    assert store.history.of("n") == {}
    _publish(models, base, 2)  # it is polled still
    until(lambda: _latest(store) == 2)


def test_the_old_models_serve_until_the_new_ones_are_ready(
    models: Path, base: Path, store: ModelStore
) -> None:
    _publish(models, base, 1)
    store.apply([ModelConfig("m", base)])
    late = base.with_name("late")
    late.mkdir()
    reload = threading.Thread(target=store.apply, args=([ModelConfig("n", late)],))
    reload.start()
    time.sleep(0.1)
    assert _latest(store) == 1
    _publish(models, late, 1)
    reload.join(20)
    assert not reload.is_alive()
    with pytest.raises(StatusError, match=r"Latest\(m\)"):
        _latest(store)


def test_a_reload_does_not_wait_for_another_one_without_end(
    base: Path, store: ModelStore
) -> None:
    (base.with_name("empty")).mkdir()
    first = threading.Thread(
        target=lambda: pytest.raises(
            StatusError, store.apply, [ModelConfig("n", base.with_name("empty"))], 1.0
        )
    )
    first.start()
    until(store._applying.locked)
    with pytest.raises(StatusError) as caught:
        store.apply([ModelConfig("m", base)], timeout_s=0.05)
    assert caught.value.code == Code.DEADLINE_EXCEEDED
    first.join()


def test_an_error_that_nobody_expects_fails_the_load_only(
    models: Path, base: Path, store: ModelStore
) -> None:
    def load(folder: Path) -> SavedModel:
        if folder.name == "2":
            raise ZeroDivisionError("by nothing")
        return SavedModel(folder)

    store._loading = Loading(load, retries=0)
    _publish(models, base, 1)
    store.apply([ModelConfig("m", base)])
    _publish(models, base, 2)
    until(lambda: _states(store).get(2) == State.END)
    assert store.history.of("m")[2].code == Code.INTERNAL
    _publish(models, base, 3)
    until(lambda: _latest(store) == 3)


def test_a_name_twice_is_refused(base: Path, store: ModelStore) -> None:
    with pytest.raises(StatusError, match="Illegal to list model m multiple times"):
        store.apply([ModelConfig("m", base), ModelConfig("m", base)])


def test_a_relative_base_path_is_refused() -> None:
    with pytest.raises(StatusError, match=r"absolute path or URI; got base_path\(\)=b"):
        ModelConfig("m", Path("b"))


def test_policies_choose_versions(base: Path) -> None:
    for name in ("1", "00000123", "7", ".tmp8", "x9", "1.5"):
        break_version(base / name)

    def wanted(**policy: object) -> list[int]:
        config = ModelConfig("m", base, type(latest_policy())(**policy))
        return sorted(wanted_versions(config) or {})

    assert wanted() == [123]
    assert wanted(latest={"num_versions": 0}) == [123]
    assert wanted(latest={"num_versions": 2}) == [7, 123]
    assert wanted(all={}) == [1, 7, 123]
    assert wanted(specific={"versions": [1, 99]}) == [1]
