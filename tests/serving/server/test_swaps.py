"""Swaps, a broken version, a rollback and a reload while calls go on."""

import gc
import shutil
import threading
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest

from serving.server.app import Server
from serving.server.history import State
from serving.wire import tensors
from serving.wire.protos import (
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tests.serving.conftest import break_version, options, until

GROWTH = 1.10


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


@pytest.mark.slow
def test_no_call_fails_while_versions_come_and_go(models: Path, tmp_path: Path) -> None:
    def publish(version: int) -> None:
        offset = 1 + version % 2  # the store's 1 adds 2, its 2 adds 3
        shutil.copytree(models / "half_plus_two" / str(offset), tmp_path / ".tmp")
        (tmp_path / ".tmp").rename(tmp_path / str(version))

    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["x"].CopyFrom(tensors.to_proto(np.array([4.0], np.float32)))
    wrong: list[str] = []
    counts = [0, 0, 0]
    stop = threading.Event()

    def ask(channel: grpc.Channel, client: int) -> None:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        while not stop.is_set():
            try:
                reply = stub.Predict(request, timeout=20)
            except grpc.RpcError as error:
                wrong.append(f"{error.code()}: {error.details()}")
                continue
            counts[client] += 1
            expected = 5.0 if reply.model_spec.version.value % 2 else 4.0
            if list(reply.outputs["y"].float_val) != [expected]:
                wrong.append(str(reply))

    publish(1)
    with (
        Server(options(tmp_path, "m")) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):

        def states() -> dict[int, State]:
            return {v: e.state for v, e in server.store.history.of("m").items()}

        asking = [threading.Thread(target=ask, args=(channel, i)) for i in range(3)]
        for thread in asking:
            thread.start()
        early = 0
        for version in range(2, 22):
            publish(version)
            until(lambda v=version: states().get(v) == State.AVAILABLE)  # type: ignore[misc]
            until(lambda v=version: states()[v - 1] == State.END)  # type: ignore[misc]
            if version == 11:
                early = _resident()
        late = _resident()
        break_version(tmp_path / "50")
        until(lambda: states().get(50) == State.END)
        shutil.rmtree(tmp_path / "50")
        (tmp_path / "21").rename(tmp_path / ".gone")
        until(lambda: states()[20] == State.AVAILABLE)
        reload = model_management_pb2.ReloadConfigRequest()
        reload.config.model_config_list.config.add(
            name="m", base_path=str(tmp_path), model_platform="tensorflow"
        )
        models_stub = model_service_pb2_grpc.ModelServiceStub(channel)
        models_stub.HandleReloadConfigRequest(reload, timeout=20)
        stop.set()
        for thread in asking:
            thread.join()
    assert wrong == []
    assert min(counts) > 100
    assert late <= early * GROWTH, f"{early} bytes after ten swaps, {late} after twenty"
    print(f"{sum(counts)} calls, {early / 2**20:.0f} MiB, then {late / 2**20:.0f} MiB")
