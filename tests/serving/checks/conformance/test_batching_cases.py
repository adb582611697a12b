"""The export stands behind batches, and one with scalar or absent rows does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import tensorflow as tf
from click.testing import CliRunner

from serving.checks.conformance.batching_case import Batching, BatchingCase
from serving.checks.conformance.batching_cases import cases
from serving.cli import main
from serving.server.app import Server
from serving.server.status import StatusError
from serving.server.warmup import FILE
from serving.wire import tensors
from serving.wire.protos import prediction_log_pb2
from tests.serving.conftest import Toy, options
from uvcan_tf import features as names
from uvcan_tf.saved_model.optional_inputs import for_each, signature_function

pytestmark = pytest.mark.slow  # one export serves all

CASES = list(cases())
USERS = ["ann", "bob", "eve"]
OF_RECOMMEND = [case for case in CASES if names.RECOMMEND in case.name]


def save_recommend(folder: Path, batch: bool) -> None:
    """The toy's `recommend` and `rank`.

    Args:
      folder: of the version.
      batch: `k` has the dimension of the batch and left-out inputs have one row, or
        as exports were before: a scalar, and rows of length 0.
    """
    toy = Toy()
    users = tf.TensorSpec([None], tf.string, name=names.USER_ID)
    videos = tf.TensorSpec([None, None], tf.string, name=names.VIDEO_IDS)
    optional = {
        names.K: tf.TensorSpec([None] if batch else [], tf.int32, name=names.K),
        names.EXCLUDE_VIDEO_IDS: tf.TensorSpec(
            [None, None], tf.string, name=names.EXCLUDE_VIDEO_IDS
        ),
    }
    rows = [1, 1] if batch else [0, 0]
    defaults = {
        names.K: tf.constant([3] if batch else 3),
        names.EXCLUDE_VIDEO_IDS: tf.fill(rows, ""),
    }

    def recommend(
        user_id: tf.Tensor, k: tf.Tensor, exclude_video_ids: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        excluded = for_each(exclude_video_ids, tf.size(user_id))
        return toy.recommend(user_id, k, excluded)

    signatures = {
        names.RECOMMEND: signature_function(recommend, [users], optional, defaults),
        names.RANK: tf.function(toy.rank, input_signature=[users, videos]),
    }
    tf.saved_model.save(toy, str(folder), signatures=signatures)


def warm(folder: Path) -> None:
    """Adds a warm-up request that leaves the optional inputs out."""
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = names.RECOMMEND
    tensors.write(tensors.strings("u1"), request.inputs[names.USER_ID])
    (folder / FILE).parent.mkdir()
    with tf.io.TFRecordWriter(str(folder / FILE)) as writer:
        writer.write(log.SerializeToString())


@pytest.fixture(scope="module")
def asked(batching: str) -> Iterator[Batching]:
    with grpc.insecure_channel(batching) as channel:
        yield Batching(channel, "uvcan", USERS)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_export_holds_behind_batches(case: BatchingCase, asked: Batching) -> None:
    assert case.run(asked) is None


def differences(base: Path, config: Path) -> list[str | None]:
    """What the cases of `recommend` say of a model behind batches."""
    files = {"enable_batching": True, "batching_parameters_file": str(config)}
    with Server(options(base, "uvcan", **files, grpc_max_threads=8)) as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            model = Batching(channel, "uvcan", USERS)
            return [case.run(model) for case in OF_RECOMMEND]


def test_an_export_without_the_batch_fails_every_case_of_it(
    tmp_path: Path, batching_config: Path
) -> None:
    for name, batch in (("before", False), ("now", True)):
        save_recommend(tmp_path / name / "1", batch)
    assert differences(tmp_path / "now", batching_config) == [None] * 5
    inputs, defaults, *calls = differences(tmp_path / "before", batching_config)
    assert inputs == "k has the shape [], expected [-1, ...]"
    assert defaults == (
        "exclude_video_ids has a default of the shape [0, 0], expected [1, ...]"
    )
    for told in calls:
        assert told is not None and told.startswith("status INVALID_ARGUMENT (Batching")


def test_a_warm_up_without_the_batch_ends_the_start(
    tmp_path: Path, batching_config: Path
) -> None:
    save_recommend(tmp_path / "1", batch=False)
    warm(tmp_path / "1")
    with Server(options(tmp_path, "uvcan")):
        pass  # without batching it serves
    files = {"enable_batching": True, "batching_parameters_file": str(batching_config)}
    with pytest.raises(StatusError, match="did not become available"):
        Server(options(tmp_path, "uvcan", **files))


def test_a_server_that_joins_nothing_is_told(models: Path) -> None:
    [joined] = [case for case in CASES if case.name.endswith("are joined")]
    with Server(options(models / "uvcan", "uvcan", grpc_max_threads=64)) as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            told = joined.run(Batching(channel, "uvcan", USERS, join_within_s=0.2))
    assert told is not None and told.startswith("no call was joined in 0.2 s")


def test_the_command_plays_these_cases_alone(batching: str) -> None:
    arguments = ["--batching-target", batching, "--users", ",".join(USERS)]
    result = CliRunner().invoke(main, ["conformance", *arguments])
    assert result.output.splitlines()[-1] == f"{len(CASES)} cases, 0 different."
    assert result.exit_code == 0


def test_the_command_wants_something_to_ask() -> None:
    result = CliRunner().invoke(main, ["conformance"])
    assert "Give --target, --batching-target or --write-models." in result.output
