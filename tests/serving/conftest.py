"""A toy model with the exported signatures, and servers on loopback."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import serving
from serving.checks.conformance.models import CONFIG_FILE, write_models
from serving.client.client import RecommenderClient
from serving.server.app import Server
from serving.server.options import Options
from tests import worlds
from uvcan_tf import features as names
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.export import export

VIDEOS = [f"v{number}" for number in range(1, 8)]


def toy_score(user_id: str, video_id: str) -> float:
    """The toy's whole knowledge: numbers in ids; an unknown id, without one, is 0."""
    digits = ["".join(filter(str.isdigit, i)) or "0" for i in (user_id, video_id)]
    return float(digits[0]) / 10 + float(digits[1])


def _numbers(ids: tf.Tensor) -> tf.Tensor:
    digits = tf.strings.regex_replace(ids, "[^0-9]", "")
    return tf.strings.to_number(tf.strings.join(["0", digits]))


class Toy(tf.Module):
    """score = user's number / 10 + video's number, behind the real signatures.

    Args:
      offset: added to every score of `rank`.
    """

    def __init__(self, offset: float = 0.0) -> None:
        super().__init__()
        self._offset = offset

    def rank(self, user_id: Any, video_ids: Any) -> dict[str, tf.Tensor]:
        scores = _numbers(user_id)[:, None] / 10 + _numbers(video_ids)  # [B, C]
        return {names.SCORE: scores + self._offset}

    def recommend(
        self, user_id: Any, k: Any, exclude_video_ids: Any
    ) -> dict[str, tf.Tensor]:
        catalogue = tf.constant([VIDEOS])  # [B=1, V]
        scores = self.rank(user_id, catalogue)[names.SCORE]  # [B, V]
        excluded = tf.reduce_any(
            catalogue[:, :, None] == exclude_video_ids[:, None, :], axis=-1
        )  # [B, V]
        scores = tf.where(excluded, -float("inf"), scores)
        best = tf.math.top_k(scores, tf.minimum(tf.reduce_max(k), len(VIDEOS)))
        ids = tf.gather(catalogue[0], best.indices)
        found = tf.where(tf.math.is_finite(best.values), ids, "")
        return {
            names.VIDEO_IDS: found,
            names.SCORE: best.values,
            names.KNOWN_USER: _numbers(user_id) > 0,
        }

    def explain(self, user_id: Any, video_id: Any) -> dict[str, tf.Tensor]:
        pair = self.rank(user_id, video_id[:, None])[names.SCORE][:, 0]
        return {
            names.SCORE: pair,
            names.USER_ATTENTION: tf.constant([[[0.25, 0.75], [0.5, 0.5]]]),
            names.USER_FACETS: tf.constant([["user_id", "gender"]]),
            names.VIDEO_ATTENTION: tf.constant([[[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]]),
            names.VIDEO_FACETS: tf.constant([["video_id", "tags", "visual"]]),
            names.KNOWN_USER: _numbers(user_id) > 0,
            names.KNOWN_VIDEO: _numbers(video_id) > 0,
        }

    def serving_default(self, examples: Any) -> dict[str, tf.Tensor]:
        spec = {
            name: tf.io.FixedLenFeature([], tf.string, "")
            for name in (names.USER_ID, names.VIDEO_ID)
        }
        row = tf.io.parse_example(examples, spec)
        return {
            names.SCORE: _numbers(row[names.USER_ID]) / 10
            + _numbers(row[names.VIDEO_ID])
        }


def save_toy(folder: Path, offset: float = 0.0) -> None:
    """Writes the toy as one version."""
    toy = Toy(offset)
    users = tf.TensorSpec([None], tf.string, name=names.USER_ID)
    signatures = {
        names.RANK: (toy.rank, [users, _strings(names.VIDEO_IDS, 2)]),
        names.RECOMMEND: (
            toy.recommend,
            [
                users,
                tf.TensorSpec([None], tf.int32, name=names.K),
                _strings(names.EXCLUDE_VIDEO_IDS, 2),
            ],
        ),
        names.EXPLAIN: (toy.explain, [users, _strings(names.VIDEO_ID, 1)]),
        names.SERVING_DEFAULT: (toy.serving_default, [_strings(names.EXAMPLES, 1)]),
    }
    functions = {
        name: tf.function(function, input_signature=specs)
        for name, (function, specs) in signatures.items()
    }
    tf.saved_model.save(toy, str(folder), signatures=functions)


def _strings(name: str, rank: int) -> tf.TensorSpec:
    return tf.TensorSpec([None] * rank, tf.string, name=name)


def options(base_path: Path, name: str, **changes: Any) -> Options:
    """Options of a server for tests: loopback, any port, quick polls."""
    quick = {
        "host": "127.0.0.1",
        "port": 0,
        "file_system_poll_wait_seconds": 0.02,
        "load_retry_interval_micros": 20_000,
        "max_num_load_retries": 1,
        "drain_seconds": 5.0,
    }
    return Options(
        model_name=name,
        model_base_path=str(base_path).removeprefix("."),
        **{**quick, **changes},
    )


def until(claim: Callable[[], bool], timeout_s: float = 20) -> None:
    """Waits for a claim to come true."""
    ends = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < ends, "never came true"
        time.sleep(0.005)


@contextmanager
def conformance_server(models: Path, **changes: Any) -> Iterator[Server]:
    """A server of the conformance models once all their versions are ready."""
    choice = options(
        models,
        "",
        **{
            "model_config_file": str(models / CONFIG_FILE),
            "allow_version_labels_for_unavailable_models": True,
            **changes,
        },
    )
    with Server(choice) as server:
        until(lambda: len(server.store._models["half_plus_two"].ready) == 2)
        yield server


@dataclasses.dataclass(frozen=True)
class SslFiles:
    """A server's text SSLConfig, and what its clients need."""

    config: Path
    key: Path
    certificate: Path
    client_key: Path
    client_certificate: Path


def ssl_files(folder: Path, mutual: bool) -> SslFiles:
    """Fresh keys and certificates of `localhost`, and of a client."""
    for name in ("server", "client"):
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
                *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
                *("-days", "2", "-keyout", str(folder / f"{name}.key")),
                *("-out", str(folder / f"{name}.pem")),
            ],
            check=True,
            capture_output=True,
        )
    parts = {"server_key": "server.key", "server_cert": "server.pem"}
    if mutual:
        parts["custom_ca"] = "client.pem"
    quoted = {
        field: (folder / name).read_text().replace("\n", "\\n")
        for field, name in parts.items()
    }
    lines = [f'{field}: "{text}"' for field, text in quoted.items()]
    lines.append(f"client_verify: {str(mutual).lower()}")
    config = folder / "ssl.config"
    config.write_text("\n".join(lines))
    client = (folder / "client.key", folder / "client.pem")
    return SslFiles(config, folder / "server.key", folder / "server.pem", *client)


def break_version(folder: Path) -> None:
    """Makes a version that looks whole, and that nobody can load."""
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"no graph")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the conformance models and the toy."""
    folder = tmp_path_factory.mktemp("models")
    write_models(folder)
    save_toy(folder / "uvcan" / "1")
    return folder


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[Server]:
    """The toy, served."""
    with Server(options(models / "uvcan", "uvcan")) as running:
        yield running


@pytest.fixture(scope="session")
def target(server: Server) -> str:
    """Where the toy is served."""
    return f"127.0.0.1:{server.port}"


@pytest.fixture(scope="session")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version of the small world's model as it is exported, untrained."""
    dataset = worlds.small()
    model = UVCAN(dataset, worlds.SMALL_CONFIG)
    model.rate(tf.constant([1]), tf.constant([[1]]))
    folder = tmp_path_factory.mktemp("exported") / "uvcan" / "1"
    export(model, dataset, None, worlds.SMALL_CONFIG, folder)
    return folder


@pytest.fixture(scope="session")
def batching_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The deployed parameters, but batches wait long enough for calls to meet."""
    path = tmp_path_factory.mktemp("batching") / "batching.config"
    text = (Path(serving.__file__).parent / "deploy" / "batching.config").read_text()
    path.write_text(text.replace("value: 500 ", "value: 50000 "))
    return path


@pytest.fixture(scope="session")
def batching(version: Path, batching_config: Path) -> Iterator[str]:
    """Where that version is served in batches."""
    choice = options(
        version.parent,
        "uvcan",
        enable_batching=True,
        batching_parameters_file=str(batching_config),
        grpc_max_threads=64,
    )
    with Server(choice) as running:  # which replays the warm-up
        yield f"127.0.0.1:{running.port}"


@pytest.fixture
def client(target: str) -> Iterator[RecommenderClient]:
    """A client of the toy."""
    with RecommenderClient(target) as connected:
        yield connected
