"""Training by two workers, each on a core of its own, beside one worker on one core."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks import world
from benchmarks.results import Figure
from tfx_pipeline.memory import peak_mb
from uvcan_tf.config import MULTI_WORKER, Config
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.fit import fit

_WORLD: Final = dataclasses.replace(
    world.TOFFEE_B, likes=120_000, videos=8_000, visual_length=64
)
_PAIRS_A_STEP: Final = 16_384  # of all workers together
_EPOCHS: Final = 4
_BESIDE: Final = "one worker on one core"


def measure() -> dict[str, Figure]:
    """Pairs a second of whole epochs, and the memory of a worker."""
    (one,), two = _ended(1), _ended(2)
    rates = [found[0]["pairs_per_s"] for found in ([one], two)]
    largest = max(found["peak_mb"] for found in two)
    return {
        "two_workers_pairs_per_s": Figure(rates[1], "pairs/s", rates[0], _BESIDE),
        "two_workers_mb": Figure(largest, "MB", one["peak_mb"], _BESIDE),
    }


def _ended(workers: int) -> list[dict[str, float]]:
    """What each of so many workers found, the chief first."""
    with tempfile.TemporaryDirectory() as folder:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.workers", folder],
                env=os.environ | {"TF_CONFIG": json.dumps(task)},
                stdout=subprocess.PIPE,
                text=True,
            )
            for task in _tasks(workers)
        ]
        said = [process.communicate()[0] for process in started]
    return [json.loads(text.splitlines()[-1]) for text in said]


def _tasks(workers: int) -> list[dict[str, Any]]:
    """`TF_CONFIG` of each worker of a cluster on the loopback address."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(workers)]
    addresses = [f"localhost:{s.getsockname()[1]}" for s in sockets]
    for one in sockets:
        one.close()
    return [
        {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": index},
        }
        for index in range(workers)
    ]


def _train(folder: Path) -> dict[str, float]:
    """One worker of the cluster, on the core of its number."""
    task = json.loads(os.environ["TF_CONFIG"])
    workers, index = len(task["cluster"]["worker"]), task["task"]["index"]
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[index]})
    settings = Config()
    training = dataclasses.replace(
        settings.training,
        batch_size=_PAIRS_A_STEP // workers,
        epochs=_EPOCHS,
        patience=_EPOCHS,
        distribute=MULTI_WORKER,
    )
    team = Team(training)  # before anything else uses TensorFlow
    settings = dataclasses.replace(settings, training=training)
    fit(world.dataset(_WORLD), settings, folder, team=team)
    if not team.is_chief:
        return {"peak_mb": peak_mb()}
    curve = json.loads((folder / "training.json").read_text())["curve"]
    rates = [epoch["pairs_per_second"] for epoch in curve[1:]]  # the first one compiles
    return {"pairs_per_s": statistics.median(rates), "peak_mb": peak_mb()}


if __name__ == "__main__":
    print(json.dumps(_train(Path(sys.argv[1]))))
