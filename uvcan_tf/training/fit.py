"""Fitting with Keras: early stopping on validation NDCG@10, checkpoints, resume."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.errors import TrainingError
from uvcan_tf.model.batches import trainable
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.terminal import progress
from uvcan_tf.training.callbacks import (
    MONITOR,
    Bar,
    Checkpoint,
    LossCheck,
    Measure,
    Say,
    Stop,
)
from uvcan_tf.training.run_state import RunState
from uvcan_tf.training.sparse_adam import SparseAdam
from uvcan_tf.training.validation import Validation

__all__ = ["MONITOR", "fit", "positions"]


def fit(
    dataset: Dataset,
    config: Config,
    folder: Path | None = None,
    report: Say | None = None,
    build: Callable[[Dataset, Config], PairModel] = UVCAN,
) -> Any:
    """Trains a model on the dataset's training pairs.

    A share of the training pairs is set apart; after every epoch their NDCG@10 over the
    whole catalogue is measured, and the best epoch's weights are returned. Where no
    pair can be set apart, all epochs are trained and the last one's weights returned.

    Args:
      dataset: with `train`; of `test`, only whether any video is in neither.
      config: hyper-parameters.
      folder: for checkpoints and the TensorBoard log. A run that was killed and is
        started again with the same data and config continues at its last epoch.
      report: called with one sentence at a time; nothing is reported by default.
      build: makes the model of the training pairs that are left, and the config.

    Raises:
      TrainingError: there is nothing to learn from, or the loss is not a number.

    >>> model = fit(dataset, config)
    """
    say = report or (lambda sentence: None)
    training = config.training
    _check(dataset)
    part = dataset.hold_out_validation(training.validation_fraction, training.seed)
    if len(trainable(part)) < len(part.train):
        say(_left_out(part))
    model = build(part, config)
    model.compile(optimizer=SparseAdam(training.learning_rate))
    model((tf.constant([1]), tf.constant([[1]])))
    _train(model, part, config, folder, say)
    return model


def _train(
    model: PairModel, part: Dataset, config: Config, folder: Path | None, say: Say
) -> None:
    """All epochs that are left, and then the best one's weights."""
    training, pairs = config.training, len(trainable(part))
    state = RunState(model.network)
    validation = Validation(model, part, config)
    if not validation.possible:
        say(
            "There are no validation pairs, so validation NDCG@10 is not measured: all "
            f"{training.epochs} epochs are trained and the last one is kept."
        )
    callbacks = [
        tf.keras.callbacks.TerminateOnNaN(),
        LossCheck(),
        Measure(validation, state, say),
        *_of_folder(model, state, folder, say),
        Stop(state, training),
    ]
    left = state.epochs_left(training)
    if left:
        steps = -(-pairs // training.batch_size)
        with progress.progress("Training", steps * left) as bar:
            model.fit(
                positions(pairs, training.batch_size),
                initial_epoch=int(state.epoch),
                epochs=training.epochs,
                callbacks=[*callbacks, Bar(bar)],
                verbose=0,
            )
    state.restore_best()
    if folder is not None:
        _write_summary(folder, state, validation.possible)


def positions(pairs: int, batch_size: int) -> tf.data.Dataset:
    """One epoch: int64 [B] positions; the model decides which pair stands where."""
    starts = tf.data.Dataset.range(0, pairs, batch_size)
    return starts.map(
        lambda start: tf.range(start, tf.minimum(start + batch_size, pairs))
    )


def _check(dataset: Dataset) -> None:
    """Raises `TrainingError` where there is nothing to learn from."""
    if not len(dataset.train):
        raise TrainingError(
            "There should be at least one observed pair (label 1) to learn from. "
            "Received: none."
        )
    observed = dataclasses.replace(dataset, train=dataset.train + dataset.test)
    if not len(trainable(observed)):
        raise TrainingError(
            "At least one user should leave a video that they do not like, to compare "
            f"likes with. Received: every user likes all {dataset.videos.size} videos. "
            "Add videos, or users who do not like them all."
        )


def _left_out(part: Dataset) -> str:
    """A sentence on the users whose likes have nothing to be compared with."""
    every, left = (len(np.unique(x.user)) for x in (part.train, trainable(part)))
    return (
        f"{every - left} of {every} users like all {part.videos.size} videos, so "
        "nothing is left to compare their likes with: these likes are not trained on."
    )


def _of_folder(
    model: PairModel, state: RunState, folder: Path | None, say: Say
) -> list[tf.keras.callbacks.Callback]:
    """What writes to the folder; resumes from what is there."""
    if folder is None:
        return []
    checkpoint = Checkpoint(model, state, folder / "checkpoints")
    if checkpoint.resume():
        say(f"Training resumes after epoch {int(state.epoch)}.")
    logs = str(folder / "logs")
    return [checkpoint, tf.keras.callbacks.TensorBoard(logs, write_graph=False)]


def _write_summary(folder: Path, state: RunState, measured: bool) -> None:
    """`training.json`: what was not measured is null."""
    summary = {
        "epochs": int(state.epoch),
        "best_epoch": int(state.best_epoch) if measured else None,
        MONITOR: float(state.best) if measured else None,
    }
    path = folder / "training.json"
    path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
