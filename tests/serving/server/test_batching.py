"""Requests joined into batches: who travels together, and who is refused."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.client.client import RecommenderClient
from serving.server.app import Server
from serving.server.batching import BatchedModel
from serving.server.metrics import Metrics
from serving.server.parameters import Parameters, read_parameters
from serving.server.queueing import Scheduler
from serving.server.savedmodel import SavedModel
from serving.server.status import Code, StatusError
from tests.serving.conftest import options, until

LONG_S = 30.0


class Half:
    """half_plus_two (y = x / 2 + 2) and the echo of strings, behind batches."""

    def __init__(self, folder: Path, scheduler: Scheduler, **parameters: Any) -> None:
        self.metrics = Metrics()
        settings = Parameters(**{"batch_timeout_s": LONG_S, **parameters})
        model = SavedModel(folder)
        self.model = BatchedModel(model, scheduler, settings, self.metrics)

    def ask(self, x: Any, signature: str = "serving_default", **limits: Any) -> Any:
        signed = self.model.signatures[signature]
        [fed] = [info.name for info in signed.inputs.values()]
        fetched = [info.name for info in signed.outputs.values()]
        return self.model.run({fed: np.asarray(x)}, fetched, **limits)[0]

    @property
    def runs(self) -> int:
        [told] = re.findall(r"wrapped_run_count (\d+)", self.metrics.text().decode())
        return int(told)


@contextmanager
def half(models: Path, model: str = "half_plus_two", **given: Any) -> Iterator[Half]:
    scheduler = Scheduler(1)
    batched = Half(models / model / "1", scheduler, **given)
    yield batched
    batched.model.close()
    scheduler.stop()


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each call gives, or raises, when all begin together."""
    found: list[Any] = [None] * len(calls)

    def run(place: int) -> None:
        try:
            found[place] = calls[place]()
        except StatusError as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def column(*values: float) -> Any:
    return np.array(values, np.float32)


def test_a_full_batch_runs_once_and_gives_each_its_rows(models: Path) -> None:
    with half(models, max_batch_size=7) as batched:
        rows = [column(2), column(4, 6), column(8), column(1, 3, 5)]
        found = at_once([lambda x=x: batched.ask(x) for x in rows])  # type: ignore[misc]
        assert [y.tolist() for y in found] == [(x / 2 + 2).tolist() for x in rows]
        assert batched.runs == 1


def test_a_batch_that_stays_alone_runs_after_its_time(models: Path) -> None:
    with half(models, batch_timeout_s=0.2) as batched:
        begun = time.monotonic()
        assert batched.ask(column(4)).tolist() == [4]
        assert 0.2 <= time.monotonic() - begun < 5


def test_a_batch_is_padded_to_an_allowed_size(models: Path) -> None:
    with half(
        models, max_batch_size=8, allowed_batch_sizes=(5, 8), batch_timeout_s=0.0
    ) as batched:
        assert batched.ask(column(2, 4, 6)).tolist() == [3, 4, 5]


def test_a_large_request_is_split_where_that_is_wanted(models: Path) -> None:
    with half(
        models, max_batch_size=11, max_execution_batch_size=3, batch_timeout_s=0.0
    ) as batched:
        assert batched.ask(column(*range(8))).tolist() == [x / 2 + 2 for x in range(8)]
        assert batched.runs == 3


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (column(*range(9)), "Task size 9 is larger than maximum input batch size 8"),
        (np.float32(1), "Batching Run() input tensors must have at least one"),
    ],
)
def test_a_request_that_cannot_be_joined_is_refused(
    models: Path, x: Any, message: str
) -> None:
    with half(models, max_batch_size=8) as batched:
        with pytest.raises(StatusError) as caught:
            batched.ask(x)
    assert caught.value.code == Code.INVALID_ARGUMENT
    assert caught.value.message.startswith(message)


def test_inputs_of_different_lengths_are_refused(models: Path) -> None:
    with half(models, "wide") as batched:
        signed = batched.model.signatures["serving_default"]
        feeds = {
            signed.inputs["feats"].name: np.zeros([2, 4], np.float32),
            signed.inputs["user"].name: np.zeros(2, np.int64),
            signed.inputs["video"].name: np.zeros(3, np.int64),
        }
        fetches = [info.name for info in signed.outputs.values()]
        with pytest.raises(StatusError, match="must have equal 0th-dimension size"):
            batched.model.run(feeds, fetches)


def test_a_queue_that_is_full_is_unavailable(models: Path) -> None:
    with half(models, max_batch_size=5, max_enqueued_batches=1) as batched:
        first = threading.Thread(target=batched.ask, args=(column(1, 2, 3),))
        first.start()
        signed = batched.model.signatures["serving_default"]
        fed, fetched = signed.inputs["x"].name, signed.outputs["y"].name
        names = (frozenset({fed}), (fetched,))
        until(lambda: names in batched.model._queues)
        queue = batched.model._queues[names]
        until(lambda: len(queue.batches) == 1)
        with pytest.raises(StatusError, match="full; currently 1 batches") as caught:
            batched.ask(column(1, 2, 3))
        assert caught.value.code == Code.UNAVAILABLE
        assert batched.ask(column(4, 6)).tolist() == [4, 5]  # fills the open batch
        first.join()


def test_a_request_that_waited_too_long_is_told_so(models: Path) -> None:
    with half(models, batch_timeout_s=0.3) as batched:
        with pytest.raises(StatusError, match="timeout exceeded while waiting") as got:
            batched.ask(column(4), timeout_s=0.05)
    assert got.value.code == Code.RESOURCE_EXHAUSTED


def texts(*shape: int) -> Any:
    return np.full(shape, b"ab", object)


def test_different_shapes_are_refused_without_padding(models: Path) -> None:
    with half(models, "wide", max_batch_size=2) as batched:
        calls = [lambda w=w: batched.ask(texts(1, w), "strings") for w in (2, 3)]  # type: ignore[misc]
        for found in at_once(calls):
            assert found.code == Code.FAILED_PRECONDITION
            assert "have different shapes and padding is turned off" in found.message


def test_different_shapes_are_padded_by_the_first_value(models: Path) -> None:
    with half(models, "wide", max_batch_size=2, pad=True) as batched:
        calls = [lambda w=w: batched.ask(texts(1, w), "strings") for w in (2, 3)]  # type: ignore[misc]
        for found in at_once(calls):
            assert found.shape == (1, 3)


def test_calls_that_ask_for_some_outputs_are_joined_too(models: Path) -> None:
    with half(models, "wide", max_batch_size=2) as batched:
        signed = batched.model.signatures["strings"]
        [fed] = [info.name for info in signed.inputs.values()]
        fetched = [signed.outputs["length"].name]
        calls = [lambda: batched.model.run({fed: texts(1)}, fetched)[0]] * 2
        assert [found.tolist() for found in at_once(calls)] == [[2], [2]]
        assert batched.runs == 1


def test_inputs_of_some_outputs_need_the_first_dimension_too(models: Path) -> None:
    with half(models, "wide") as batched:
        signed = batched.model.signatures["strings"]
        [fed] = [info.name for info in signed.inputs.values()]
        fetched = [signed.outputs["length"].name]
        with pytest.raises(StatusError, match="must have at least one dimension"):
            batched.model.run({fed: np.array(b"ab", object)}, fetched)


def test_many_sets_of_outputs_do_not_fill_the_memory(models: Path) -> None:
    with half(models, "wide", batch_timeout_s=0.0) as batched:
        signed = batched.model.signatures["strings"]
        [fed] = [info.name for info in signed.inputs.values()]
        for number in range(600):
            with pytest.raises(StatusError):
                batched.model.run({fed: texts(1)}, [f"unknown_{number}:0"])
        assert len(batched.model._queues) <= 256


def test_an_error_that_nobody_expects_does_not_end_the_batch_thread(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with half(models, batch_timeout_s=0.0) as batched:
        with monkeypatch.context() as patch:
            patch.setattr(
                batched.model._model, "run", lambda *given: 1 / 0, raising=True
            )
            with pytest.raises(StatusError, match="ZeroDivisionError") as caught:
                batched.ask(column(4), timeout_s=5.0)
        assert caught.value.code == Code.INTERNAL
        assert batched.ask(column(4), timeout_s=5.0).tolist() == [4]


def test_a_wait_longer_than_the_clock_can_tell_does_not_end_the_batch_thread(
    models: Path,
) -> None:
    with half(models, batch_timeout_s=1e13, max_batch_size=2) as batched:
        calls = [lambda: batched.ask(column(4), timeout_s=5.0)] * 2
        assert [found.tolist() for found in at_once(calls)] == [[4], [4]]


def test_a_call_leaves_the_queue_when_its_time_is_over(models: Path) -> None:
    with half(models, batch_timeout_s=LONG_S, max_batch_size=2) as batched:
        begun = time.monotonic()
        with pytest.raises(StatusError, match="timeout exceeded while waiting"):
            batched.ask(column(4), timeout_s=0.05)
        assert time.monotonic() - begun < LONG_S / 2


def test_a_failing_batch_fails_each_of_its_requests(models: Path) -> None:
    with half(models, max_batch_size=2) as batched:
        calls = [
            lambda: batched.ask(np.array([b"\xff"], object), "regress_x_to_y"),
            lambda: batched.ask(np.array([b""], object), "regress_x_to_y"),
        ]
        assert [e.code for e in at_once(calls)] == [Code.INVALID_ARGUMENT] * 2


def test_a_file_sets_the_parameters(tmp_path: Path) -> None:
    path = tmp_path / "batching.config"
    path.write_text(
        "max_batch_size { value: 64 } batch_timeout_micros { value: 1500 } "
        "max_enqueued_batches { value: 7 } num_batch_threads { value: 3 } "
        'thread_pool_name { value: "pool" } allowed_batch_sizes: 8 '
        "allowed_batch_sizes: 32 pad_variable_length_inputs: true "
        "enable_large_batch_splitting { value: true } "
        "max_execution_batch_size { value: 32 }"
    )
    assert read_parameters(path) == Parameters(
        64, 0.0015, 7, 3, (8, 32), True, 32, "pool"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_size { value: 0 }", "must be positive; was 0"),
        ("num_batch_threads { value: 0 }", "num_batch_threads must be positive; was 0"),
        ("max_enqueued_batches { value: 0 }", "max_enqueued_batches must be positive"),
        ("batch_timeout_micros { value: -5 }", "must be non-negative; was -5"),
        ("allowed_batch_sizes: [4, 2]", "monotonically increasing"),
        ("max_batch_size { value: 8 } allowed_batch_sizes: 4", "was 4; expected 8"),
        ("nonsense: 1", "Invalid protobuf file"),
    ],
)
def test_parameters_that_make_no_sense_stop_the_start(
    models: Path, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "batching.config"
    path.write_text(text)
    files = {"batching_parameters_file": str(path)}
    with pytest.raises(StatusError, match=message):
        Server(options(models / "uvcan", "uvcan", enable_batching=True, **files))


def test_a_server_joins_calls_of_its_clients(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "batching.config"
    path.write_text(
        "max_batch_size { value: 4 } batch_timeout_micros { value: 30000000 }"
    )
    files = {"batching_parameters_file": str(path)}
    choice = options(models / "uvcan", "uvcan", enable_batching=True, **files)
    with Server(choice) as server:
        with RecommenderClient(f"127.0.0.1:{server.port}", timeout_s=20) as client:
            calls = [lambda u=u: client.rank(f"u{u}", ["v1", "v2"]) for u in range(4)]  # type: ignore[misc]
            found = at_once(calls)
    for user, videos in enumerate(found):
        expected = [1 + user / 10, 2 + user / 10]
        assert [video.score for video in videos] == pytest.approx(expected)
    assert b"wrapped_run_count 1.0" in server.api.metrics.text()


def test_a_version_brings_parameters_of_its_own(models: Path, tmp_path: Path) -> None:
    for name in ("with", "without"):
        shutil.copytree(models / "half_plus_two" / "1", tmp_path / name / "1")
    (tmp_path / "with" / "1" / "batching_params.pbtxt").write_text(
        "max_batch_size { value: 2 }"
    )
    both = {"enable_batching": True, "enable_per_model_batching_parameters": True}
    for name, kind in (("with", BatchedModel), ("without", SavedModel)):
        with Server(options(tmp_path / name, "m", **both)) as server:
            assert type(server.store._models["m"].ready[1].model) is kind
