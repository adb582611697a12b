"""Fitting with Keras: early stopping on validation NDCG@100, checkpoints, resume."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from uvcan_tf.config import Config, TrainingConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.errors import TrainingError
from uvcan_tf.model.batches import trainable
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.callbacks import MONITOR, Say
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.run import TrainingRun, positions
from uvcan_tf.training.sparse_adam import SparseAdam
from uvcan_tf.training.tensorboard.board import Logs
from uvcan_tf.training.validation import held_out

__all__ = ["MONITOR", "fit", "positions"]


def fit(
    dataset: Dataset,
    config: Config,
    folder: Path | None = None,
    report: Say | None = None,
    build: Callable[[Dataset, Config], PairModel] = UVCAN,
    logs: Logs | None = None,
    team: Team | None = None,
    start: Path | None = None,
) -> Any:
    """Trains a model on the dataset's training pairs.

    A share of the training pairs is set apart, see `held_out`. The epoch is returned
    that ranks them best by NDCG@100, or the last one where no pair can be set apart.

    Args:
      dataset: with `train`; of `test`, only whether any video is in neither.
      config: hyper-parameters.
      folder: for checkpoints, the learning curve and TensorBoard's files. A run that
        was killed goes on at its last epoch, if data and config are the same.
      report: called with one sentence at a time; nothing is reported by default.
      build: makes the model of the training pairs that are left, and the config.
      logs: another place for TensorBoard's files than `logs` in the folder.
      team: who trains; by default what `training.distribute` says.
      start: an exported UVCAN to begin with, as epoch 0; see `begin_with`.

    Raises:
      TrainingError: there is nothing to learn from, or the loss is not a number.

    >>> model = fit(dataset, config)
    """
    training, team = config.training, team or Team(config.training)
    say = report if report and team.is_chief else (lambda sentence: None)
    part = held_out(_checked(dataset), config)
    _say_left_out(part, say)
    with team.together(), team.strategy.scope():
        model = _compiled(build(part, config), training)
        TrainingRun(model, part, config, say, team, start).train(folder, logs)
    model.complete(dataset)
    return model


def _compiled(model: PairModel, training: TrainingConfig) -> PairModel:
    """The model with its optimizer and all of its weights."""
    model.compile(optimizer=SparseAdam(training.learning_rate))
    model((tf.constant([1]), tf.constant([[1]])))
    return model


def _checked(dataset: Dataset) -> Dataset:
    """The same; raises `TrainingError` where there is nothing to learn from."""
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
    return dataset


def _say_left_out(part: Dataset, say: Say) -> None:
    """A sentence on the users whose likes have nothing to be compared with."""
    if len(trainable(part)) == len(part.train):
        return
    every, left = (len(np.unique(x.user)) for x in (part.train, trainable(part)))
    say(
        f"{every - left} of {every} users like all {part.videos.size} videos, so "
        "nothing is left to compare their likes with: these likes are not trained on."
    )
