"""Files and folders that nobody should write: a sentence, never a traceback."""

import logging
import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.checks.fuzz import mutate
from serving.server import files
from serving.server.config import read_models
from serving.server.lifecycle import Loading, contents
from serving.server.parameters import read_parameters
from serving.server.savedmodel import SavedModel
from serving.server.status import StatusError
from serving.server.storage import ModelConfig, waiting_for
from serving.server.store import ModelStore
from serving.wire.protos import model_pb2
from tests.serving.conftest import until

MODELS = b"""model_config_list { config { name: "m" base_path: "/m"
model_platform: "tensorflow" model_version_policy { specific { versions: 3 } }
version_labels { key: "stable" value: 3 } } }"""
BATCHING = b"""max_batch_size { value: 8 } batch_timeout_micros { value: 10 }
allowed_batch_sizes: 4 allowed_batch_sizes: 8 pad_variable_length_inputs: true"""
SSL = b'server_key: "a\\nb" server_cert: "c" client_verify: true'
MONITORING = b'prometheus_config { enable: true path: "/metrics" }'


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (MODELS, read_models),
        (BATCHING, read_parameters),
        (SSL, files.read_ssl),
        (MONITORING, files.read_monitoring),
    ],
)
def test_a_mutated_text_file_is_read_or_refused(
    tmp_path: Path, content: bytes, read: Callable[[Path], Any]
) -> None:
    path, source, refused = tmp_path / "file", random.Random(5), 0
    for _ in range(1000):
        path.write_bytes(mutate(content, b'{ } : "\\xff" -9 ' + content, source))
        try:
            read(path)
        except StatusError as error:
            refused += 1
            assert error.message
    assert 100 < refused < 1000


def test_a_folder_may_go_while_it_is_looked_at(tmp_path: Path) -> None:
    base, ended = tmp_path / "m", threading.Event()

    def come_and_go() -> None:
        while not ended.is_set():
            (base / "1" / "variables").mkdir(parents=True)
            shutil.rmtree(base)

    changing = threading.Thread(target=come_and_go)
    changing.start()
    try:
        for _ in range(3000):
            contents(base)
            contents(base / "1")
            assert "waits for a version" in waiting_for(ModelConfig("m", base))
    finally:
        ended.set()
        changing.join()


def _odd_things(base: Path, good: Path, source: random.Random) -> None:
    """One thing that happens to a store, of versions from 2 on."""
    version = base / str(source.choice([2, 3, "0004", -5, 2**63 - 1, 2**63, "٣", "v6"]))
    if version.is_symlink() or version.is_file():
        version.unlink()
    elif version.exists():
        version.rename(base / ".gone")
        shutil.rmtree(base / ".gone")
    kind = source.randrange(7)
    if kind == 0:
        version.mkdir()
    elif kind == 1:
        version.symlink_to(source.choice([good, base / "nowhere", version, base]))
    elif kind == 2:
        version.write_bytes(b"a file")
    elif kind == 3:
        shutil.copytree(good, version)  # seen while it is copied
        (version / "saved_model.pb").write_bytes(source.randbytes(50))
    elif kind == 4:
        shutil.copytree(good, version)
        shutil.rmtree(version)  # gone while it is loaded
    elif kind == 5:
        (version / "saved_model.pb").mkdir(parents=True)
    else:
        version.mkdir()
        os.mkfifo(version / "variables")
        content = (good / "saved_model.pb").read_bytes()
        (version / "saved_model.pb").write_bytes(content[: source.randrange(999)])


def test_a_store_outlives_whatever_is_done_to_its_folder(
    models: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, source = models / "half_plus_two" / "1", random.Random(7)
    shutil.copytree(good, tmp_path / "1")
    store = ModelStore(Loading(SavedModel, retries=0), poll_s=0.005)
    store.apply([ModelConfig("m", tmp_path)])
    for _ in range(150):
        _odd_things(tmp_path, good, source)
        with store.use(model_pb2.ModelSpec(name="m")) as servable:
            assert servable.model.signatures
    shutil.copytree(good, tmp_path / ".new")
    (tmp_path / ".new").rename(tmp_path / "1000")
    for name in (str(2**63 - 1), "0004"):
        if (tmp_path / name).is_symlink():
            (tmp_path / name).unlink()

    def newest() -> int:
        with store.use(model_pb2.ModelSpec(name="m")) as servable:
            return servable.version

    until(lambda: newest() >= 1000)
    store.stop()
    wrong = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert not [record.getMessage() for record in wrong]
