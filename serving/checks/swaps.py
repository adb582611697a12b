"""`python -m serving swaps`: versions come and go while calls go on."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import grpc
import numpy as np

from serving.checks import figures
from serving.checks.load import in_process
from serving.checks.process_memory import ProcessMemory
from serving.client import calls
from serving.client.connection import open_channel
from serving.server.storage import PB_FILE
from serving.wire import tensors
from serving.wire.protos import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)
from uvcan_tf.features import SCORE

_MODEL: Final = "uvcan"
_CANDIDATES: Final = 100
_AVAILABLE: Final = 30
_END: Final = 50
_TOLERANCE: Final = 1e-5


class Asker:
    """Clients that ask without a pause, and check each reply by its version.

    Args:
      channel: to the server.
      expected: the scores of odd versions and of even ones.
      clients: threads.
    """

    def __init__(
        self, channel: grpc.Channel, expected: dict[int, tensors.Array], clients: int
    ) -> None:
        self.replies = 0
        self.wrong: list[str] = []
        self._expected = expected
        self._ask = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        self._request = request()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the clients."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._stopped.is_set():
            difference = self._one()
            with self._lock:
                self.replies += 1
                if difference:
                    self.wrong.append(difference)

    def _one(self) -> str | None:
        try:
            reply = self._ask(self._request, timeout=30)
        except grpc.RpcError as error:
            return f"{error.code()}: {error.details()}"
        version = reply.model_spec.version.value
        scores = tensors.to_array(reply.outputs[SCORE])
        if np.abs(scores - self._expected[version % 2]).max() > _TOLERANCE:
            return f"version {version} answered with the scores of another"
        return None


@dataclasses.dataclass(frozen=True)
class Store:
    """A model's versions on disk, published the safe way; odd ones are alike."""

    base: Path
    kinds: dict[int, Path]

    def publish(self, version: int) -> None:
        """Copies under another name, then renames."""
        shutil.copytree(self.kinds[version % 2], self.base / ".tmp")
        (self.base / ".tmp").rename(self.base / str(version))

    def remove(self, version: int) -> None:
        """Hides a version at once, then deletes it."""
        gone = (self.base / str(version)).rename(self.base / ".gone")
        shutil.rmtree(gone)


def request() -> Any:
    """What the clients ask."""
    videos = [f"v{number}" for number in range(_CANDIDATES)]
    return calls.rank_request(_MODEL, "u1", videos)


def run(kinds: dict[int, Path], swaps: int, clients: int, least: int) -> dict[str, Any]:
    """Swaps, breaks, rolls back and reloads under load; the figures."""
    expected = {n: in_process(folder)(request())()[0] for n, folder in kinds.items()}
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(Path(scratch) / _MODEL, kinds)
        store.base.mkdir()
        store.publish(1)
        with _server(store.base) as (number, target), open_channel(target) as channel:
            states = _watch(channel)
            asker = Asker(channel, expected, clients)
            held, memory = ProcessMemory(number), []
            for version in range(2, swaps + 2):
                store.publish(version)
                _until(lambda v=version: states().get(v) == _AVAILABLE)  # type: ignore[misc]
                _until(lambda v=version: states().get(v - 1) == _END)  # type: ignore[misc]
                memory.append(held.mebibytes())
                if version > 2:
                    store.remove(version - 2)
            (store.base / "1000").mkdir()
            (store.base / "1000" / PB_FILE).touch()  # a graph that is none
            _until(lambda: states().get(1000) == _END)
            store.remove(1000)
            store.remove(swaps + 1)
            _until(lambda: states().get(swaps) == _AVAILABLE)
            _reload(channel, store.base)
            _until(lambda: asker.replies >= least, timeout_s=600)
            asker.stop()
    return {
        "swaps": swaps,
        "clients": clients,
        "replies": asker.replies,
        "failed_or_wrong": len(asker.wrong),
        "examples": asker.wrong[:5],
        "resident_mib_after_each_swap": memory,
        "growth_from_second_to_last": round(memory[-1] / memory[1] - 1, 3),
    }


@contextmanager
def _server(base: Path) -> Iterator[tuple[int, str]]:
    """The number of a server process of its own, and where it listens."""
    flags = [
        *("--host=127.0.0.1", "--port=0", f"--model_name={_MODEL}"),
        *(f"--model_base_path={base}", "--file_system_poll_wait_seconds=0.2"),
        "--max_num_load_retries=0",
    ]
    command = [sys.executable, "-u", "-m", "serving", "serve", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            told = process.stdout.readline()
            port = told.rstrip().rstrip(".").rpartition(":")[2]
            yield process.pid, f"127.0.0.1:{port}"
        finally:
            process.terminate()


def _watch(channel: grpc.Channel) -> Callable[[], dict[int, int]]:
    """The state of every version."""
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    asked = get_model_status_pb2.GetModelStatusRequest()
    asked.model_spec.name = _MODEL

    def states() -> dict[int, int]:
        found = stub.GetModelStatus(asked, timeout=30).model_version_status
        return {entry.version: entry.state for entry in found}

    return states


def _reload(channel: grpc.Channel, base: Path) -> None:
    reload = model_management_pb2.ReloadConfigRequest()
    reload.config.model_config_list.config.add(
        name=_MODEL, base_path=str(base), model_platform="tensorflow"
    )
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    stub.HandleReloadConfigRequest(reload, timeout=60)


def _until(claim: Callable[[], bool], timeout_s: float = 120) -> None:
    ends = time.monotonic() + timeout_s
    while not claim():
        if time.monotonic() > ends:
            raise click.ClickException("The server did not do its part in time.")
        time.sleep(0.05)


@click.command(name="swaps")
@click.option(
    "--versions",
    nargs=2,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Two version folders that score differently.",
)
@click.option("--swaps", type=click.IntRange(0), default=10, show_default=True)
@click.option("--clients", type=click.IntRange(1, 1000), default=4, show_default=True)
@click.option(
    "--least",
    type=click.IntRange(0),
    default=50_000,
    show_default=True,
    help="Replies.",
)
@figures.out()
def swaps_command(
    versions: tuple[Path, Path], swaps: int, clients: int, least: int, out: Path | None
) -> None:
    """Swaps versions of a server of its own while clients check every reply."""
    found = run({1: versions[0], 0: versions[1]}, swaps, clients, least)
    figures.tell(found, out)
    sys.exit(1 if found["failed_or_wrong"] else 0)
