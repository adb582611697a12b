"""One run of Keras' `fit` with everything that follows an epoch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    Clock,
    Curve,
    LossCheck,
    Measure,
    Say,
    Stop,
)
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.run_state import RunState
from uvcan_tf.training.tensorboard.board import Board, Logs, watched_pairs
from uvcan_tf.training.tensorboard.probe import facet_names
from uvcan_tf.training.tensorboard.profile import Profile
from uvcan_tf.training.validation import STOPS_BY_IN_WORDS, Validation
from uvcan_tf.training.warm_start import Begun, begin_with
from uvcan_tf.training.weighing import weigh_prior


class TrainingRun:
    """All epochs that are left, and then the best one's weights.

    Args:
      model: compiled and built.
      part: what it is trained on; its test pairs are the validation pairs.
      config: of the training and of the validation.
      say: called with one sentence at a time.
      team: who trains; the scope of its strategy is entered.
      start: an exported model to begin with, if any; see `begin_with`.
    """

    def __init__(
        self,
        model: PairModel,
        part: Dataset,
        config: Config,
        say: Say,
        team: Team,
        start: Path | None = None,
    ) -> None:
        self._model, self._config, self._say, self._team = model, config, say, team
        self._begun = None if start is None else _begun(start, model)
        self._pairs = len(trainable(part))
        self._examples, self._at_once = model.examples
        self._state = RunState(model.network, config.training.average_decay)
        self._validation = Validation(model, part, config)
        self._of_prior: dict[str, Any] | None = None

    def train(self, folder: Path | None, logs: Logs | None) -> None:
        """Trains, and leaves in the folder what a person or the next run asks for.

        Args:
          folder: if any.
          logs: if TensorBoard's files are not to lie in the folder.
        """
        if self._begun is not None:
            self._say(self._begun.sentence)
        if folder is None:
            self._train()
            return
        saves = self._team.is_chief
        if saves:
            folder.mkdir(parents=True, exist_ok=True)
        checkpoint = Checkpoint(self._model, self._state, folder / "checkpoints", saves)
        resumes = checkpoint.resume()
        if resumes:
            self._say(f"Training resumes after epoch {int(self._state.epoch.numpy())}.")
        summary = folder / "training.json"
        if summary.exists() and not self._state.epochs_left(self._config.training):
            self._state.restore_best()
            self._weigh_prior()
            return
        if not saves:
            self._train([checkpoint])
            return
        curve = Curve(folder / "curve.json", self._state)
        if self._team.strategy.num_replicas_in_sync > 1:  # the board knows only one
            self._train([curve, checkpoint])
            self._write(summary, curve, None)
            return
        watched, logs = self._validation.pairs, logs or Logs(folder / "logs")
        watched = watched_pairs(watched, self._model.dataset)
        board = Board(self._model, watched, self._config, logs)
        steps = () if logs.brief else self._config.training.profile_steps
        profile = Profile(self._model, steps, logs, self._say)
        with board.session(resumes), profile.session():
            self._train([board, curve, checkpoint, profile])
        self._write(summary, curve, board)

    def _train(self, writers: Sequence[tf.keras.callbacks.Callback] = ()) -> None:
        """Trains; the writers see every epoch after it was measured."""
        training, state = self._config.training, self._state
        prior = self._model.tables.prior
        if prior is not None:
            prior.weigh(0.0)  # while the network is measured
        if not self._validation.possible:
            self._say(
                f"There are no validation pairs, so {STOPS_BY_IN_WORDS} is not "
                f"measured: all {training.epochs} epochs are trained and the last "
                "one is kept."
            )
        warm = self._begun is not None and self._begun.warm
        callbacks = [
            Clock(self._pairs),
            tf.keras.callbacks.TerminateOnNaN(),
            LossCheck(),
            state.averaging,
            Measure(self._validation, state, self._say, self._team, warm),
            *writers,
            Stop(state, training, self._team),
        ]
        left = state.epochs_left(training)
        if left:
            steps = self._steps()
            with progress.progress("Training", steps * left) as bar:
                self._model.fit(
                    self._epochs(steps),
                    steps_per_epoch=steps,
                    initial_epoch=int(state.epoch.numpy()),
                    epochs=training.epochs,
                    callbacks=[*callbacks, Bar(bar)],
                    verbose=0,
                )
        state.restore_best()
        self._weigh_prior()

    def _weigh_prior(self) -> None:
        self._of_prior = weigh_prior(
            self._model, self._validation, self._team, self._say
        )

    def _steps(self) -> int:
        """Of an epoch; several devices take batches of pairs, and of nothing else."""
        if self._team.strategy.num_replicas_in_sync == 1:
            return -(-self._examples // self._at_once)
        batches, size = self._model.batches, self._config.training.batch_size
        if (self._examples, self._at_once) != (batches.pairs, size):
            raise TrainingError(
                "`training.distribute` should be none where the users of a step share "
                "candidates (`history.shared_softmax`), which several devices do not. "
                f"Received: {self._config.training.distribute}."
            )
        return batches.steps

    def _epochs(self, steps: int) -> Any:
        """Epoch after epoch, as many batches in each as every worker has.

        A worker with fewer pairs than another begins anew before the epoch ends.
        """
        strategy = self._team.strategy
        epoch = positions(self._examples, self._at_once)
        epochs = epoch.repeat().take(steps * self._team.replicas.each).repeat()
        if strategy.num_replicas_in_sync == 1:
            return epochs
        return strategy.distribute_datasets_from_function(lambda _: epochs)

    def _write(self, summary: Path, curve: Curve, board: Board | None) -> None:
        """Writes `training.json`: what was not measured is null."""
        measured, model = self._validation.possible, self._model
        ndcg = float(self._state.best.numpy()) if measured else None
        if self._of_prior is not None:
            ndcg = self._of_prior[MONITOR]
        content = {
            "start": self._begun and self._begun.sentence,
            "epochs": int(self._state.epoch.numpy()),
            "best_epoch": int(self._state.best_epoch.numpy()) if measured else None,
            MONITOR: ndcg,
            "prior": self._of_prior,
            "curve": curve.epochs,
            "attention": board.attention if board else None,
            "facets": facet_names(model) if isinstance(model, UVCAN) else {},
        }
        summary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _begun(start: Path, model: PairModel) -> Begun:
    if not isinstance(model, UVCAN):
        raise TrainingError(
            "`start` should be left out of a model other than UVCAN. Received: "
            f"start={str(start)!r}, and a {type(model).__name__}."
        )
    return begin_with(start, model)


def positions(examples: int, at_once: int) -> tf.data.Dataset:
    """One epoch: int64 [B] positions; the model decides which example stands where."""
    starts = tf.data.Dataset.range(0, examples, at_once)
    return starts.map(
        lambda start: tf.range(start, tf.minimum(start + at_once, examples))
    )
