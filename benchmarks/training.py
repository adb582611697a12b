"""The training step: examples a second, beside the machine and a naive version."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import tensorflow as tf

from benchmarks import naive, work
from benchmarks.machine import Machine
from benchmarks.results import Figure
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.fit import positions
from uvcan_tf.training.sparse_adam import SparseAdam

_STEPS = 40
_NAIVE_STEPS = 4
PAIRS_A_STEP = 8192


def config(pairs: int = PAIRS_A_STEP) -> Config:
    """The defaults with other batches, the same for every model compared."""
    settings = Config()
    training = dataclasses.replace(settings.training, batch_size=pairs)
    return dataclasses.replace(settings, training=training)


def measure(dataset: Dataset, machine: Machine) -> dict[str, Figure]:
    """Examples a second of `fit` on its own input, observed pairs and negatives."""
    ours = examples_per_s(dataset, config())
    naively = naive_examples_per_s(dataset, config())
    each = work.of_training_example(dataset.features, config())
    most = machine.multiply_adds_per_s / each.multiply_adds
    unit = "examples/s"
    return {
        "train_examples_per_s": Figure(ours, unit, most, "at the matmul rate"),
        "train_vs_naive": Figure(ours, unit, naively, "plain tf.data and Keras"),
    }


def examples_per_s(dataset: Dataset, settings: Config) -> float:
    """Of UVCAN, after the steps that compile and warm up."""
    model = UVCAN(dataset, settings)
    model.compile(SparseAdam(settings.training.learning_rate))
    size = settings.training.batch_size
    batches = positions(len(dataset.train) // size * size, size)  # all of them full
    steps = rate(model, batches.repeat(), _STEPS)
    return steps * settings.training.batch_size * (1 + settings.training.negatives)


def naive_examples_per_s(dataset: Dataset, settings: Config) -> float:
    """Of the straightforward version, fed by tf.data as examples are needed."""
    batches = naive.examples(dataset, settings).repeat()
    steps = rate(naive.compiled(dataset, settings), batches, _NAIVE_STEPS)
    return steps * settings.training.batch_size * (1 + settings.training.negatives)


def rate(model: tf.keras.Model, batches: tf.data.Dataset, steps: int) -> float:
    """Steps a second of Keras' own `fit`."""
    clock = _Clock(steps)
    model.fit(batches, steps_per_epoch=2 * steps, verbose=0, callbacks=[clock])
    return steps / (clock.end - clock.start)


class _Clock(tf.keras.callbacks.Callback):
    """Times the second half of an epoch."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = steps
        self.start = self.end = 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch + 1 == self._steps:
            self.start = time.perf_counter()
        elif batch + 1 == 2 * self._steps:
            self.end = time.perf_counter()
