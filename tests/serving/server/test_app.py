"""Health, reflection, reload, warm-up, labels, TLS and draining, over the wire."""

import dataclasses
import re
import shutil
import threading
import time
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from serving.checks.conformance.suite import all_cases
from serving.client.client import RecommenderClient
from serving.client.errors import ServerUnavailable
from serving.client.records import Tls
from serving.server.app import Server
from serving.server.status import StatusError
from serving.wire import tensors
from serving.wire.protos import (
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)
from tests.serving.conftest import free_port, options, ssl_files, until


def _channel(server: Server) -> grpc.Channel:
    return grpc.insecure_channel(f"127.0.0.1:{server.port}")


def _copy(models: Path, base: Path, version: int = 1) -> Path:
    shutil.copytree(models / "half_plus_two" / "1", base / ".tmp")
    return (base / ".tmp").rename(base / str(version))


def _half(
    name: str = "m", x: float = 4.0, **spec: object
) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    if "version_label" in spec:
        request.model_spec.version_label = str(spec["version_label"])
    request.inputs["x"].CopyFrom(tensors.to_proto(np.array([x], np.float32)))
    return request


def _ask(server: Server, name: str = "m", **spec: object) -> float:
    with _channel(server) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        reply = stub.Predict(_half(name, **spec), timeout=5)
        return float(reply.outputs["y"].float_val[0])


def test_health_tells_whether_a_version_is_ready(models: Path, tmp_path: Path) -> None:
    version = _copy(models, tmp_path)
    choice = options(tmp_path, "m", enable_grpc_healthcheck_service=True)
    with Server(choice) as server, _channel(server) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        states = health_pb2.HealthCheckResponse

        def state(service: str = "") -> int:
            return check(health_pb2.HealthCheckRequest(service=service)).status

        for service in ("", "ModelService", "PredictionService"):
            assert state(service) == states.SERVING
        with pytest.raises(grpc.RpcError, match="service name unknown"):
            state("tensorflow.serving.PredictionService")
        version.rename(tmp_path / ".gone")
        until(lambda: state() == states.NOT_SERVING)


def test_idle_watches_leave_the_calls_their_threads(models: Path) -> None:
    choice = options(
        models / "half_plus_two",
        "m",
        enable_grpc_healthcheck_service=True,
        grpc_max_threads=2,
    )
    with Server(choice) as server, _channel(server) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch
        asked = health_pb2.HealthCheckRequest(service="")
        streams = [watch(asked, timeout=60) for _ in range(40)]
        serving = health_pb2.HealthCheckResponse.SERVING
        assert {next(stream).status for stream in streams} == {serving}
        assert _ask(server) == 5.0
        for stream in streams:
            stream.cancel()


def test_watches_may_end_while_the_state_changes(models: Path) -> None:
    """What hangs up runs on the thread that telling the others waits for."""
    choice = options(
        models / "half_plus_two", "m", enable_grpc_healthcheck_service=True
    )
    for _ in range(5):
        server = Server(choice)
        stopping = threading.Thread(target=server.stop, daemon=True)
        with _channel(server) as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch
            asked = health_pb2.HealthCheckRequest(service="")
            streams = [watch(asked, timeout=60) for _ in range(80)]
            for stream in streams:
                next(stream)
            stopping.start()
            for stream in reversed(streams):
                stream.cancel()
        stopping.join(20)
        assert not stopping.is_alive()


def test_a_watch_is_told_of_a_change(models: Path, tmp_path: Path) -> None:
    version = _copy(models, tmp_path)
    choice = options(tmp_path, "m", enable_grpc_healthcheck_service=True)
    with Server(choice) as server, _channel(server) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        states = stub.Watch(health_pb2.HealthCheckRequest(service=""), timeout=20)
        assert next(states).status == health_pb2.HealthCheckResponse.SERVING
        version.rename(tmp_path / ".gone")
        assert next(states).status == health_pb2.HealthCheckResponse.NOT_SERVING
        states.cancel()


def test_a_call_beyond_the_threads_is_refused(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = options(models / "half_plus_two", "m", grpc_max_threads=2)
    with Server(choice) as server:
        free, model = threading.Event(), server.store._models["m"].ready[2].model
        run = model.run
        monkeypatch.setattr(model, "run", lambda *given: free.wait(20) and run(*given))
        answers: list[float] = []
        asking = [
            threading.Thread(target=lambda: answers.append(_ask(server)))
            for _ in range(2)
        ]
        for thread in asking:
            thread.start()
        until(lambda: server.store._models["m"].ready[2]._users == 2)
        with pytest.raises(grpc.RpcError) as caught:
            _ask(server)
        free.set()
        for thread in asking:
            thread.join()
    error = caught.value
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED  # type: ignore[attr-defined]
    assert error.details() == "Server Threadpool Exhausted"  # type: ignore[attr-defined]
    assert answers == [5.0, 5.0]


def test_an_error_that_nobody_expects_is_internal(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(options(models / "half_plus_two", "m")) as server:
        model = server.store._models["m"].ready[2].model
        with monkeypatch.context() as patch:
            patch.setattr(model, "run", lambda *given: 1 / 0)
            with pytest.raises(grpc.RpcError, match="ZeroDivisionError") as caught:
                _ask(server)
        assert caught.value.code() == grpc.StatusCode.INTERNAL  # type: ignore[attr-defined]
        assert _ask(server) == 5.0
        told = server.api.metrics.text().decode()
    assert 'request_count{model_name="m",status="INTERNAL"} 1.0' in told


def test_reflection_lists_the_services(server: Server) -> None:
    with _channel(server) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        [reply] = stub.ServerReflectionInfo(iter([asked]))
    assert {service.name for service in reply.list_services_response.service} == {
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.reflection.v1alpha.ServerReflection",
    }


def _reload(server: Server, *models: dict[str, object]) -> None:
    request = model_management_pb2.ReloadConfigRequest()
    request.config.model_config_list.SetInParent()
    for model in models:
        config = {"model_platform": "tensorflow", **model}
        request.config.model_config_list.config.add(**config)
    with _channel(server) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        reply = stub.HandleReloadConfigRequest(request, timeout=5)
    assert reply.status.error_code == 0


def test_a_reload_swaps_models_labels_and_policies(models: Path) -> None:
    base = str(models / "half_plus_two")
    everything = {"all": {}}
    with Server(options(models / "half_plus_two", "m")) as server:
        _reload(server, {"name": "other", "base_path": base})
        assert _ask(server, "other") == 5.0
        with pytest.raises(grpc.RpcError, match=r"Latest\(m\)"):
            _ask(server, "m")
        _reload(
            server,
            {"name": "other", "base_path": base, "model_version_policy": everything},
        )
        until(lambda: len(server.store.history.of("other")) == 2)
        until(lambda: len(server.store._models["other"].ready) == 2)
        labelled = {
            "name": "other",
            "base_path": base,
            "model_version_policy": everything,
            "version_labels": {"stable": 1},
        }
        _reload(server, labelled)
        assert _ask(server, "other", version_label="stable") == 4.0
        with pytest.raises(grpc.RpcError, match="assign label to version 9 of model"):
            _reload(server, {**labelled, "version_labels": {"stable": 9}})
        assert _ask(server, "other", version_label="stable") == 4.0


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"version_labels": {"stable": 9}}, "assign label to version 9 of model n"),
        ({"model_platform": ""}, "Illegal setting neither"),
        ({"model_platform": "x"}, "Model n requests unsupported platform x"),
        ({"base_path": "/nowhere"}, "Could not find base path /nowhere"),
    ],
)
def test_a_bad_reload_leaves_no_trace(
    models: Path, model: dict[str, object], message: str
) -> None:
    base = str(models / "half_plus_two")
    with Server(options(models / "half_plus_two", "m")) as server:
        with pytest.raises(grpc.RpcError, match=message):
            _reload(server, {"name": "n", "base_path": base, **model})
        assert _ask(server, "m") == 5.0
        _reload(server, {"name": "n", "base_path": base})
        assert _ask(server, "n") == 5.0


def _record_warm_up(version: Path, *signatures: str) -> None:
    folder = version / "assets.extra"
    folder.mkdir()
    path = str(folder / "tf_serving_warmup_requests")
    with tf.io.TFRecordWriter(path) as writer:
        for signature in signatures:
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(_half("whatever"))
            log.predict_log.request.model_spec.signature_name = signature
            writer.write(log.SerializeToString())


def test_warm_up_records_are_run(models: Path, tmp_path: Path) -> None:
    _record_warm_up(_copy(models, tmp_path), "", "serving_default")
    with Server(options(tmp_path, "m")) as server:
        assert _ask(server) == 4.0


def test_a_failing_warm_up_record_fails_the_load(models: Path, tmp_path: Path) -> None:
    _record_warm_up(_copy(models, tmp_path), "nosig")
    with pytest.raises(StatusError, match='key "nosig" not found'):
        Server(options(tmp_path, "m"))
    with Server(options(tmp_path, "m", enable_model_warmup=False)) as server:
        assert _ask(server) == 4.0


def test_a_corrupt_warm_up_file_fails_the_load(models: Path, tmp_path: Path) -> None:
    version = _copy(models, tmp_path)
    _record_warm_up(version)
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    path.write_bytes(b"this is no TFRecord at all")
    with pytest.raises(StatusError, match="verify your warmup data is in TFRecord"):
        Server(options(tmp_path, "m"))
    path.write_bytes(b"short")
    with Server(options(tmp_path, "m")) as server:
        assert _ask(server) == 4.0


def test_stopping_lets_open_calls_end(models: Path) -> None:
    server = Server(options(models / "half_plus_two", "m"))
    errors: list[Exception] = []
    answers: list[float] = []

    def ask(channel: grpc.Channel) -> None:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        try:
            while True:
                reply = stub.Predict(_half(), timeout=5)
                answers.append(reply.outputs["y"].float_val[0])
        except grpc.RpcError as error:
            errors.append(error)

    with _channel(server) as channel:
        asking = threading.Thread(target=ask, args=(channel,))
        asking.start()
        until(lambda: len(answers) > 20)
        server.stop()
        asking.join()
    assert set(answers) == {5.0}
    assert errors[0].code() == grpc.StatusCode.UNAVAILABLE  # type: ignore[attr-defined]


def test_a_stop_cuts_none_of_many_callers(models: Path) -> None:
    choice = options(models / "half_plus_two", "m", grpc_max_threads=40)
    server = Server(choice)
    codes: list[grpc.StatusCode] = []
    answers: list[float] = []

    def ask() -> None:
        with _channel(server) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            try:
                while True:
                    reply = stub.Predict(_half(), timeout=10)
                    answers.append(reply.outputs["y"].float_val[0])
            except grpc.RpcError as error:
                codes.append(error.code())  # type: ignore[attr-defined]

    asking = [threading.Thread(target=ask) for _ in range(32)]
    for thread in asking:
        thread.start()
    until(lambda: len(answers) > 200)
    server.stop()
    for thread in asking:
        thread.join()
    assert set(answers) == {5.0}
    assert codes == [grpc.StatusCode.UNAVAILABLE] * 32


def test_a_port_in_use_is_refused_in_a_sentence(models: Path) -> None:
    with Server(options(models / "half_plus_two", "m")) as server:
        for flag in ("port", "rest_api_port"):
            with pytest.raises(StatusError, match="what listens there, or") as caught:
                Server(options(models / "half_plus_two", "m", **{flag: server.port}))
            assert f"--{flag} " in caught.value.message


def test_every_address_is_told(models: Path, tmp_path: Path) -> None:
    flags = {
        "rest_api_port": free_port(),
        "grpc_socket_path": str(tmp_path / "s"),
    }
    with Server(options(models / "half_plus_two", "m", **flags)) as server:
        assert server.listens_on == [
            f"gRPC on 127.0.0.1:{server.port}",
            f"gRPC on unix:{tmp_path / 's'}",
            f"REST on 127.0.0.1:{flags['rest_api_port']}",
        ]


def test_a_unix_socket_answers_too(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Server(options(models / "uvcan", "uvcan", grpc_socket_path=str(path))):
        with RecommenderClient(f"unix:{path}") as client:
            assert client.recommend("u1", k=1)[0].video_id == "v7"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batching_parameters_file": "/x"}, "without setting server_options"),
        ({"model_config_file": "/no/such"}, "NOT_FOUND: /no/such; No such file"),
        ({"model_base_path": "bb"}, "Expected model m to have an absolute path"),
        ({"model_base_path": ""}, "Both server_options.model_base_path and"),
    ],
)
def test_options_that_cannot_be_used_stop_the_start(
    models: Path, changes: dict[str, object], message: str
) -> None:
    choice = {"model_base_path": str(models / "uvcan"), **changes}
    base = Path(str(choice.pop("model_base_path")))
    with pytest.raises(StatusError, match=message):
        Server(options(base, "m", **choice))


def _config(path: Path, *names: str) -> str:
    entries = (
        f'config {{ name: "{name}" base_path: "{path}" model_platform: "tensorflow" }}'
        for name in names
    )
    return f"model_config_list {{ {' '.join(entries)} }}"


def test_the_config_file_is_read_again(models: Path, tmp_path: Path) -> None:
    path, base = tmp_path / "models.config", models / "half_plus_two"
    path.write_text(_config(base, "m"))
    choice = options(
        tmp_path,
        "",
        model_config_file=str(path),
        model_config_file_poll_wait_seconds=0.02,
    )
    with Server(choice) as server:
        path.write_text(_config(base, "m", "n"))
        until(lambda: "n" in server.store._models)
        until(lambda: bool(server.store._models["n"].ready))
        for content in (b"no config at all", b"\xff\xfe\x00", None, b""):
            path.unlink()
            if content is None:
                path.mkdir()  # nobody can read a folder
            else:
                path.write_bytes(content)
            time.sleep(0.1)
            if content is None:
                path.rmdir()
                path.touch()
        path.write_text(_config(tmp_path / "nowhere", "m"))
        time.sleep(0.1)
        assert (_ask(server, "m"), _ask(server, "n")) == (5.0, 5.0)
        path.write_text(_config(base, "n"))
        until(lambda: "m" not in server.store._models)
        assert _ask(server, "n") == 5.0


def test_metrics_have_tf_servings_names(models: Path, tmp_path: Path) -> None:
    version = _copy(models, tmp_path)
    _record_warm_up(version, "")
    with Server(options(tmp_path, "m", enable_batching=True)) as server:
        _ask(server)
        with _channel(server) as channel:
            for case in all_cases():
                if case.name == "Regress with version 1 is answered by version 1":
                    text = str(case.request).replace("half_plus_two", "m")
                    dataclasses.replace(case, request=text).run(channel)
        text = server.api.metrics.text().decode()
    pool = 'thread_pool_name="model_server_batch_threads"'
    path = f'model_path="{version}",status="OK"'
    loaded = f'model_path="{version}",status="success"'
    for name, labels, value in (
        ("request_count", 'model_name="m",status="OK"', 2),
        (
            "request_latency_count",
            'API="Predict",entrypoint="GRPC",model_name="m"',
            1,
        ),
        ("runtime_latency_count", 'API="Regress",model_name="m",runtime="TF1"', 1),
        (
            "runtime_latency_count",
            'API="Predict",model_name="whatever",runtime="TF1"',
            1,
        ),
        ("request_example_counts_sum", 'model="m"', 1),
        ("request_example_count_total", 'model="m"', 1),
        ("model_warmup_latency_count", path, 1),
        ("batching_session:queuing_latency_count", pool, 3),
    ):
        line = f":tensorflow:serving:{name}{{{labels}}} {value}.0"
        assert line in text.splitlines()
    assert ":tensorflow:serving:batching_session:wrapped_run_count 3.0" in text
    assert f":tensorflow:cc:saved_model:load_attempt_count{{{loaded}}} 1.0" in text
    types = dict(re.findall(r"# TYPE (\S+) (\S+)", text))
    assert types[":tensorflow:serving:request_count"] == "counter"
    assert types[":tensorflow:serving:runtime_latency"] == "histogram"


@pytest.mark.parametrize("by_flags", [False, True])
def test_tls_can_be_mutual(models: Path, tmp_path: Path, by_flags: bool) -> None:
    files = ssl_files(tmp_path, mutual=True)
    certificate = files.certificate.read_bytes()
    flags = {"ssl_config_file": files.config}
    if by_flags:
        flags = {
            "tls_key": files.key,
            "tls_certificate": files.certificate,
            "tls_roots": files.client_certificate,
        }
    told = {name: str(path) for name, path in flags.items()}
    with Server(options(models / "uvcan", "uvcan", **told)) as server:
        target = f"localhost:{server.port}"
        trusted = Tls(certificate)
        known = Tls(
            certificate,
            files.client_key.read_bytes(),
            files.client_certificate.read_bytes(),
        )
        with RecommenderClient(target, tls=known) as client:
            assert client.recommend("u1", k=1)[0].video_id == "v7"
        for stranger in (trusted, None):
            with RecommenderClient(target, tls=stranger, retries=0) as client:
                with pytest.raises(ServerUnavailable):
                    client.recommend("u1")


def test_tls_that_cannot_work_is_one_sentence(models: Path, tmp_path: Path) -> None:
    files = ssl_files(tmp_path, mutual=True)
    key, certificate = str(files.key), str(files.certificate)
    for flags, told in (
        ({"tls_key": key}, "should have --tls-key and --tls-certificate"),
        (
            {
                "tls_key": key,
                "tls_certificate": certificate,
                "ssl_config_file": str(files.config),
            },
            "and no --ssl-config-file; give",
        ),
        (
            {"tls_key": str(files.client_key), "tls_certificate": certificate},
            f"Received: {files.client_key}, {certificate}, no roots",
        ),
        (
            {"tls_key": key, "tls_certificate": str(tmp_path / "nowhere")},
            "No such file or directory",
        ),
        (
            {"tls_key": key, "tls_certificate": certificate, "tls_roots": key},
            f"{certificate}, {key} \\(",
        ),
    ):
        with pytest.raises(StatusError, match=told):
            Server(options(models / "uvcan", "uvcan", **flags))
