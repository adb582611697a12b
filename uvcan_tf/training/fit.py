"""Fitting with Keras: early stopping on validation NDCG@10, checkpoints, resume."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.evaluation.ranking import FULL, of_some_users, rank_pairs
from uvcan_tf.evaluation.scorers import ModelScorer, ranked
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.terminal import progress
from uvcan_tf.training.sparse_adam import SparseAdam

MONITOR = "validation_ndcg@10"
COLLAPSED_SHARE = 0.2


class TrainingError(RuntimeError):
    """Training that cannot go on; the message says what to change."""


def fit(
    dataset: Dataset,
    config: Config,
    folder: Path | None = None,
    report: Any = None,
    build: Callable[[Dataset, Config], PairModel] = UVCAN,
) -> Any:
    """Trains a model on the dataset's training pairs.

    A share of each user's training pairs is set apart; after every epoch its NDCG@10
    over the whole catalogue is measured, and the best epoch's weights are returned.

    Args:
      dataset: with `train`; `test` is not looked at.
      config: hyper-parameters.
      folder: for checkpoints and the TensorBoard log. A run that was killed and is
        started again with the same data and config continues at its last epoch.
      report: called with one sentence at a time; nothing is reported by default.
      build: makes the model of the training pairs that are left, and the config.

    Raises:
      TrainingError: there is nothing to learn from, or the loss is not a number.

    >>> model = fit(dataset, config)
    """
    report = report or (lambda sentence: None)
    if not len(dataset.train):
        raise TrainingError(
            "There should be at least one observed pair (label 1) to learn from. "
            "Received: none."
        )
    part = dataset.hold_out_validation(
        config.training.validation_fraction, config.training.seed
    )
    model = build(part, config)
    model.compile(optimizer=SparseAdam(config.training.learning_rate))
    model((tf.constant([1]), tf.constant([[1]])))
    validation = Validation(model, part, config, folder, report)
    pairs = len(part.train)
    steps = -(-pairs // config.training.batch_size)
    callbacks: list[tf.keras.callbacks.Callback] = [
        tf.keras.callbacks.TerminateOnNaN(),
        validation,
    ]
    if folder is not None:
        callbacks.append(
            tf.keras.callbacks.TensorBoard(str(folder / "logs"), write_graph=False)
        )
    if validation.epochs_left:
        with progress.progress("Training", steps * validation.epochs_left) as bar:
            callbacks.append(_Bar(bar))
            model.fit(
                positions(pairs, config.training.batch_size),
                initial_epoch=int(validation.epoch),
                epochs=config.training.epochs,
                callbacks=callbacks,
                verbose=0,
            )
    validation.finish()
    return model


def positions(pairs: int, batch_size: int) -> tf.data.Dataset:
    """One epoch: int64 [B] positions; the model decides which pair stands where."""
    starts = tf.data.Dataset.range(0, pairs, batch_size)
    return starts.map(
        lambda start: tf.range(start, tf.minimum(start + batch_size, pairs))
    )


class _Bar(tf.keras.callbacks.Callback):
    """Moves the progress bar once a step, cheaply."""

    def __init__(self, bar: progress.Progress) -> None:
        super().__init__()
        self._bar = bar

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._bar.advance()


class Validation(tf.keras.callbacks.Callback):
    """Measures each epoch, keeps the best weights, stops early, checkpoints, resumes.

    Keras' own EarlyStopping and BackupAndRestore forget the best epoch and the
    patience left when a run is resumed; here they are part of the checkpoint.
    """

    def __init__(
        self,
        model: PairModel,
        dataset: Dataset,
        config: Config,
        folder: Path | None,
        report: Any,
    ) -> None:
        super().__init__()
        self._pair_model = model
        self._config = config
        self._deadline = time.monotonic() + config.training.time_limit_s
        self._report = report
        self._folder = folder
        some = of_some_users(
            dataset.test, config.training.validation_users, config.training.seed
        )
        self._part = dataclasses.replace(dataset, test=some)
        self.epoch = tf.Variable(0, dtype=tf.int64)
        self._best = tf.Variable(-np.inf, dtype=tf.float64)
        self._best_epoch = tf.Variable(0, dtype=tf.int64)
        self._weights = [tf.Variable(v, trainable=False) for v in model.network.weights]
        self._scorer: ModelScorer | None = None
        self._manager: tf.train.CheckpointManager | None = None
        if folder is not None:
            self._resume(folder / "checkpoints")

    @property
    def epochs_left(self) -> int:
        """How many epochs may still follow; 0 once patience has run out."""
        waited = int(self.epoch) - int(self._best_epoch)
        if int(self.epoch) and waited >= self._config.training.patience:
            return 0
        return self._config.training.epochs - int(self.epoch)

    def _resume(self, folder: Path) -> None:
        model = self._pair_model
        model.optimizer.build(model.network.trainable_variables)
        checkpoint = tf.train.Checkpoint(
            network=model.network,
            optimizer=model.optimizer,
            step=model.step,
            epoch=self.epoch,
            best=self._best,
            best_epoch=self._best_epoch,
            weights=self._weights,
        )
        self._manager = tf.train.CheckpointManager(checkpoint, str(folder), 1)
        if self._manager.latest_checkpoint:
            status = checkpoint.restore(self._manager.latest_checkpoint)
            status.assert_existing_objects_matched()
            self._report(f"Training resumes after epoch {int(self.epoch)}.")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs if logs is not None else {}
        loss = float(logs.get("loss", np.nan))
        if not np.isfinite(loss):
            raise TrainingError(
                f"The loss of epoch {epoch + 1} should be a number. Received: {loss}. "
                "Lower `training.learning_rate`."
            )
        value, tied = self._measure()
        logs[MONITOR] = value
        self.epoch.assign(epoch + 1)
        if value > float(self._best):
            self._best.assign(value)
            self._best_epoch.assign(epoch + 1)
            for kept, weight in zip(
                self._weights, self._pair_model.network.weights, strict=True
            ):
                kept.assign(weight)
        self._report(
            f"Epoch {epoch + 1}: loss {loss:.4f}, validation NDCG@10 {value:.4f}"
            + (" (best so far)" if int(self._best_epoch) == epoch + 1 else "")
        )
        if tied > COLLAPSED_SHARE:
            self._report(
                f"The network has collapsed: {tied:.0%} of the catalogue is tied at "
                "one score, so most ReLUs are dead. Lower `training.learning_rate`."
            )
        if self._manager is not None:
            self._manager.save()
        if not self.epochs_left or time.monotonic() > self._deadline:
            self.model.stop_training = True

    def _measure(self) -> tuple[float, float]:
        """Validation NDCG@10 over the catalogue, and the largest share of ties."""
        if not len(self._part.test):
            return float(self.epoch) + 1.0, 0.0
        if self._scorer is None:
            evaluation = self._config.evaluation
            last = evaluation.ranks_skipped_impressions_last(knows_impressions=False)
            self._scorer = ranked(self._pair_model.scorer(), self._part, last)
        else:
            self._scorer.refresh(self._pair_model)
        ranks = rank_pairs(self._scorer, self._part, self._config.evaluation, (FULL,))
        tied = tied_share(self._scorer.scores(np.unique(self._part.test.user)[:8]))
        return ranks.summary((10,))[FULL]["ndcg@10"], tied

    def finish(self) -> None:
        """Puts the best epoch's weights into the model."""
        for kept, weight in zip(
            self._weights, self._pair_model.network.weights, strict=True
        ):
            weight.assign(kept)
        if self._folder is not None:
            summary = {
                "epochs": int(self.epoch),
                "best_epoch": int(self._best_epoch),
                MONITOR: float(self._best),
            }
            path = self._folder / "training.json"
            path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def tied_share(scores: np.ndarray[Any, Any]) -> float:
    """The largest share of a user's catalogue [B, V] that ties at one score."""
    most = max(int(np.unique(row, return_counts=True)[1].max()) for row in scores)
    return (most - 1) / scores.shape[1]
