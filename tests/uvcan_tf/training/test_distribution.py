"""Workers together learn what one worker learns from batches of their joint size."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from tests.uvcan_tf.training import worker
from uvcan_tf.config import MIRRORED, TrainingConfig
from uvcan_tf.data.dataset import Pairs
from uvcan_tf.errors import TrainingError
from uvcan_tf.model.replicas import Replicas
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.fit import fit

EPOCHS = 6
#: What the losses of an epoch may differ by, as they fall from 0.57 to 0.26: negatives
#: and order are other ones.
TOLERANCE = 0.08
#: What losses and weights of a resumed run may differ by from those of an unbroken one.
RESUMED = 1e-4


def _start(
    folder: Path, distribute: str, batch: int, cluster: Any = None, prior: int = 0
) -> Any:
    command = [sys.executable, "-m", "tests.uvcan_tf.training.worker", str(folder)]
    variables = {} if cluster is None else {"TF_CONFIG": json.dumps(cluster)}
    return subprocess.Popen(
        [*command, distribute, str(batch), str(EPOCHS), str(prior)],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(process: Any) -> Any:
    out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error[-3000:]
    return json.loads(out.splitlines()[-1])


def _losses(found: Any) -> list[float]:
    matches = (re.match(r"Epoch \d+: loss (\S+),", line) for line in found["told"])
    return [float(match[1]) for match in matches if match]


def _two_workers(folder: Path, batch: int) -> list[Any]:
    """The two processes of a cluster on the loopback address."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(2)]
    addresses = [f"localhost:{s.getsockname()[1]}" for s in sockets]
    for one in sockets:
        one.close()
    return [
        _start(
            folder,
            "multi-worker",
            batch,
            {
                "cluster": {"worker": addresses},
                "task": {"type": "worker", "index": index},
            },
        )
        for index in range(2)
    ]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return _ended(_start(tmp_path_factory.mktemp("one"), "none", 32))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("two")
    return [_ended(process) for process in _two_workers(folder, 16)]


@pytest.mark.long
def test_two_workers_lose_as_one_of_twice_the_batch(one: Any, two: list[Any]) -> None:
    losses = _losses(two[0])
    assert losses[-1] < losses[0] / 2
    np.testing.assert_allclose(losses, _losses(one), atol=TOLERANCE)


@pytest.mark.long
def test_each_worker_draws_the_pairs_of_its_own_users(one: Any, two: list[Any]) -> None:
    assert [found["worker"] for found in two] == [0, 1]
    assert sum(found["pairs"] for found in two) == one["pairs"]
    assert all(abs(f["pairs"] / one["pairs"] - 0.5) < 0.1 for f in two)


@pytest.mark.long
def test_all_workers_end_with_the_same_weights(two: list[Any]) -> None:
    np.testing.assert_array_equal(two[0]["weights"], two[1]["weights"])


@pytest.mark.long
def test_only_the_chief_reports(two: list[Any]) -> None:
    assert len(_losses(two[0])) == EPOCHS
    assert two[1]["told"] == []


@pytest.mark.long
def test_two_devices_of_a_process_lose_as_one_of_twice_the_batch(
    one: Any, tmp_path: Path
) -> None:
    found = _ended(_start(tmp_path, "mirrored", 16))
    assert (found["workers"], found["each"]) == (1, 2)
    np.testing.assert_allclose(_losses(found), _losses(one), atol=TOLERANCE)


@pytest.mark.long
def test_two_devices_learn_beside_a_prior_what_one_does(tmp_path: Path) -> None:
    parts = {"none": 32, "mirrored": 16}
    one, two = (
        _ended(_start(tmp_path / name, name, batch, prior=1))
        for name, batch in parts.items()
    )
    of_one, of_two = (found["told"][-1] for found in (one, two))
    assert of_one.startswith("The prior counts ")
    assert of_two.rpartition(" and ")[2] == of_one.rpartition(" and ")[2]  # it alone
    np.testing.assert_allclose(_losses(two), _losses(one), atol=TOLERANCE)


@pytest.mark.drill
@pytest.mark.parametrize("lost", [0, 1])
def test_a_run_that_lost_a_worker_goes_on_as_if_it_had_not(
    tmp_path: Path, two: list[Any], lost: int
) -> None:
    workers = _two_workers(tmp_path, 16)
    while not (tmp_path / "checkpoints" / "checkpoint").exists():
        assert [worker.poll() for worker in workers] == [None, None]
        time.sleep(0.01)
    workers[lost].kill()
    said = [worker.communicate(timeout=60)[1] for worker in workers]
    assert f"worker {1 - lost} lost another" in said[1 - lost]
    again = [_ended(process) for process in _two_workers(tmp_path, 16)]
    first, *_ = again[0]["told"]
    resumed = re.fullmatch(r"Training resumes after epoch (\d+)\.", first)
    assert resumed and 1 <= int(resumed[1]) < EPOCHS
    expected = _losses(two[0])[int(resumed[1]) :]
    np.testing.assert_allclose(_losses(again[0]), expected, atol=RESUMED)
    for one, other in zip(again, two, strict=True):
        np.testing.assert_allclose(one["weights"], other["weights"], rtol=RESUMED)


def test_a_worker_that_lost_another_says_so_in_one_sentence() -> None:
    team = Team(TrainingConfig())
    team.replicas = Replicas(workers=2, worker=1)
    lost = tf.errors.UnavailableError(None, None, "a page of addresses")
    told = r"All 2 workers .* Received: worker 1 lost another \(UnavailableError\)\."
    with pytest.raises(TrainingError, match=told), team.together():
        raise lost


def test_of_one_worker_an_error_is_what_it_is() -> None:
    lost = tf.errors.UnavailableError(None, None, "a store that does not answer")
    with pytest.raises(tf.errors.UnavailableError), Team(TrainingConfig()).together():
        raise lost


def test_every_pair_is_one_workers() -> None:
    pairs = Pairs(np.array([1, 2, 3, 4, 5, 5], np.int32), np.arange(1, 7, dtype="i4"))
    own = [Replicas(workers=2, worker=worker).own(pairs) for worker in range(2)]
    assert [set(part.user.tolist()) for part in own] == [{2, 4}, {1, 3, 5}]


@pytest.mark.parametrize("workers", [2, 3, 7])
def test_workers_have_no_pair_twice_all_together_and_even_shares(workers: int) -> None:
    random = np.random.default_rng(5)
    every = random.integers(1, 1_000, [20_000, 2], np.int32)
    pairs = Pairs(*every.T)
    own = [Replicas(workers=workers, worker=w).own(pairs) for w in range(workers)]
    found = [np.stack([part.user, part.video], axis=1) for part in own]
    assert sorted(map(tuple, np.concatenate(found))) == sorted(map(tuple, every))
    users = [set(part.user.tolist()) for part in own]
    assert sum(map(len, users)) == len(set.union(*users))
    shares = [len(part) * workers / len(every) for part in found]
    np.testing.assert_allclose(shares, 1, atol=0.1)


def test_an_epoch_is_as_long_as_the_worker_with_most_pairs_needs() -> None:
    pairs = Pairs(np.array([1, 2, 3, 4, 5, 5], np.int32), np.arange(1, 7, dtype="i4"))
    assert Replicas().steps(pairs, 3) == 2
    assert Replicas(workers=2).steps(pairs, 3) == 2  # the odd rows have four pairs
    assert Replicas(each=2).steps(pairs, 3) == 1


@pytest.mark.parametrize("value", ["", "{", '{"cluster": {}}', "[]"])
def test_a_cluster_that_is_none_is_one_sentence(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", value)
    training = TrainingConfig(distribute="multi-worker")
    with pytest.raises(TrainingError, match="TF_CONFIG should be JSON.*Received"):
        Team(training)


def test_the_only_device_of_a_strategy_trains_and_reports(tmp_path: Path) -> None:
    settings = worker.config(MIRRORED, batch_size=32, epochs=1)
    told: list[str] = []
    fit(worlds.planted(), settings, tmp_path, told.append)
    assert re.match(r"Epoch 1: loss \d", told[0])
    assert list((tmp_path / "logs").glob("events*"))
