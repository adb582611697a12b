"""TF Serving's own integration cases for SavedModels, against a started process.

The cases over REST and gRPC alone are wire cases of `serving.checks.conformance`;
here are those that need flags, files and signals.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
import tensorflow as tf

from serving.checks.conformance.models import CONFIG_FILE
from serving.checks.conformance.suite import all_cases
from serving.server.options import Options
from serving.wire.protos import get_model_status_pb2, model_service_pb2_grpc
from tests.serving.conftest import break_version, free_port, until

pytestmark = pytest.mark.slow  # each starts a process

COMMAND = [sys.executable, "-m", "serving", "serve", "--host=127.0.0.1"]
CASES = {case.name: case for case in all_cases()}


@contextmanager
def started(*flags: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_ready(port: int, model: str, versions: int = 1) -> grpc.Channel:
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = model

    def ready() -> bool:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        try:
            found = stub.GetModelStatus(request, timeout=1).model_version_status
        except grpc.RpcError:
            return False
        return [entry.state for entry in found].count(30) == versions

    until(ready, timeout_s=60)
    return channel


def test_flags_files_and_a_socket_make_a_server_of_every_case(
    models: Path, tmp_path: Path
) -> None:
    port, rest, socket = free_port(), free_port(), tmp_path / "s"
    monitoring = tmp_path / "monitoring.config"
    monitoring.write_text('prometheus_config { enable: true path: "/metrics" }')
    with started(
        f"--port={port}",
        f"--rest_api_port={rest}",
        f"--grpc_socket_path={socket}",
        f"--model_config_file={models / CONFIG_FILE}",
        f"--monitoring_config_file={monitoring}",
        "--allow_version_labels_for_unavailable_models",
        "--grpc_channel_arguments=grpc.max_concurrent_streams=7,a.b=c",
        "--no_such_flag=1",
    ):
        wait_until_ready(port, "half_plus_two", versions=2).close()
        arguments = ["--target", f"unix:{socket}", "--rest", f"http://127.0.0.1:{rest}"]
        asked = subprocess.run(
            [sys.executable, "-m", "serving", "conformance", *arguments],
            capture_output=True,
            text=True,
        )
    assert asked.returncode == 0, asked.stdout
    assert asked.stdout.splitlines()[-1].endswith(" 0 different.")


def test_a_reload_by_file_and_a_signal_that_drains(
    models: Path, tmp_path: Path
) -> None:
    port, path = free_port(), tmp_path / "models.config"
    entry = 'config {{ name: "{}" base_path: "{}" model_platform: "tensorflow" }}'
    first = entry.format("first", models / "half_plus_two")
    path.write_text(f"model_config_list {{ {first} }}")
    with started(
        f"--port={port}",
        f"--model_config_file={path}",
        "--model_config_file_poll_wait_seconds=1",
        "--unknown",
    ) as process:
        wait_until_ready(port, "first").close()
        second = entry.format("wide", models / "wide")
        path.write_text(f"model_config_list {{ {second} }}")
        with wait_until_ready(port, "wide") as channel:
            assert CASES["GetModelStatus ignores a signature name"].run(channel) is None
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "unknown argument: --unknown" in output
    assert "Stopped." in output


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--model_config_file={tmp}/bad.config"],
            "INVALID_ARGUMENT: Invalid protobuf",
        ),
        ([], "INVALID_ARGUMENT: Both server_options.model_base_path"),
        (
            ["--model_base_path={tmp}", "--max_num_load_retries=0"],
            "UNKNOWN: 1 servable(s) did not become available",
        ),
    ],
)
def test_what_cannot_start_says_why_and_exits_255(
    tmp_path: Path, flags: list[str], message: str
) -> None:
    (tmp_path / "bad.config").write_text("improper { config")
    break_version(tmp_path / "1")
    given = [flag.format(tmp=tmp_path) for flag in flags]
    begun = time.monotonic()
    with started("--port=0", *given) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 255, output
    assert f"Failed to start server. Error: {message}" in output.replace("\n", " ")
    assert time.monotonic() - begun < 60


def _with_words(folder: Path) -> None:
    """Saves a version that looks words up in an asset."""
    words = folder.with_name("words.txt")
    words.write_text("one\ntwo\n")
    module = tf.Module()
    keys = (tf.string, tf.lookup.TextFileIndex.WHOLE_LINE)
    values = (tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
    found = tf.lookup.TextFileInitializer(str(words), *keys, *values)
    module.table = tf.lookup.StaticHashTable(found, -1)
    spec = tf.TensorSpec([None], tf.string)
    look = tf.function(module.table.lookup, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures=look)


def _lose_the_asset(folder: Path) -> None:
    (folder / "assets" / "words.txt").unlink()


def _spoil_the_warm_up(folder: Path) -> None:
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"this is no record of anything" * 9)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_lose_the_asset, "words.txt; No such file or directory"),
        (_spoil_the_warm_up, "Please verify your warmup data is in TFRecord format."),
    ],
)
def test_why_a_version_cannot_be_loaded_is_told_at_each_attempt(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    folder = tmp_path / "uvcan" / "1"
    folder.parent.mkdir()
    _with_words(folder)
    spoil(folder)
    told = f"{folder} cannot be loaded: "
    with started(
        "--port=0",
        f"--model_base_path={folder.parent}",
        "--load_retry_interval_micros=200000",
        "--max_num_load_retries=2",
    ) as process:
        output, _ = process.communicate(timeout=60)
    lines = [line for line in output.splitlines() if line.startswith(told)]
    assert len(lines) == 3 and all(reason in line for line in lines), output
    assert process.returncode == 255 and "Traceback" not in output
    assert Options().load_retry_interval_micros == 60_000_000  # a minute


def test_the_version_is_told() -> None:
    told = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True)
    assert told.returncode == 0
    assert told.stdout.startswith("TensorFlow ModelServer: ")
    assert "TensorFlow Library: 2." in told.stdout
