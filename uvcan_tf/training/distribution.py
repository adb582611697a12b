"""Training on several devices or processes, by `tf.distribute`."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Final

import tensorflow as tf

from uvcan_tf.config import MIRRORED, MULTI_WORKER, TrainingConfig
from uvcan_tf.errors import TrainingError
from uvcan_tf.model.replicas import replicas

_CLUSTER: Final = "TF_CONFIG"

#: How a step ends in which another worker is gone, or was started anew.
_LOST: Final = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.UnavailableError,
)


class Team:
    """The processes that train one model; the chief measures, saves and decides.

    Args:
      training: `distribute` says which devices or processes there are.

    Raises:
      TrainingError: `TF_CONFIG` names no workers, or TensorFlow was used before.
    """

    def __init__(self, training: TrainingConfig) -> None:
        self.strategy = _strategy(training.distribute)
        with self.strategy.scope():
            self.replicas = replicas()

    @property
    def is_chief(self) -> bool:
        """Whether this process writes what is written."""
        return self.replicas.worker == 0

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Says in one sentence that another worker was lost."""
        try:
            yield
        except _LOST as error:
            if self.replicas.workers == 1:
                raise
            raise TrainingError(
                f"All {self.replicas.workers} workers of {_CLUSTER} should train to "
                f"the end. Received: worker {self.replicas.worker} lost another "
                f"({type(error).__name__}). Start all of them again, and they go on "
                "from the last checkpoint."
            ) from error

    def from_chief(self, value: float) -> float:
        """The chief's value, to every process; all have to ask at once."""
        if self.replicas.workers == 1:
            return value

        def own() -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            first = context.replica_id_in_sync_group == 0
            return tf.where(first, tf.constant(value, tf.float64), 0.0)

        return float(self.strategy.reduce("SUM", self.strategy.run(own), axis=None))


def _strategy(distribute: str) -> tf.distribute.Strategy:
    if distribute == MIRRORED:
        devices = tf.config.list_logical_devices
        return tf.distribute.MirroredStrategy(
            [device.name for device in devices("GPU") or devices("CPU")]
        )
    if distribute != MULTI_WORKER:
        return tf.distribute.get_strategy()
    _check_cluster()
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise TrainingError(
            "`training.distribute` multi-worker should be set up before TensorFlow is "
            f"used in the process. Received: {error}. Make the `Team` first."
        ) from error


def _check_cluster() -> None:
    """Raises `TrainingError` unless `TF_CONFIG` says who the workers are."""
    text = os.environ.get(_CLUSTER, "")
    try:
        content = json.loads(text)
        found = bool(content["cluster"]["worker"]) and "index" in content["task"]
    except (ValueError, TypeError, KeyError):
        found = False
    if not found:
        raise TrainingError(
            f"{_CLUSTER} should be JSON with the addresses of all workers and the task "
            "of this process, as "
            '{"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker", '
            f'"index": 0}}}}. Received: {text!r}. Set it, or set '
            "`training.distribute` to none."
        )
