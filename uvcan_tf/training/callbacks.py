"""What happens after an epoch, one callback for each thing.

In the order in which they are to run: the speed is taken, the loss checked, the weights
averaged (`training.averaging`), the epoch measured, the best weights kept, the outcome
reported, the curve written, the state saved, and training stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf

from uvcan_tf.config import TrainingConfig
from uvcan_tf.errors import TrainingError
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.terminal.progress import Progress
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.run_state import RunState
from uvcan_tf.training.validation import (
    STOPS_BY,
    STOPS_BY_IN_WORDS,
    Measured,
    Validation,
)

MONITOR: Final = f"validation_ndcg@{STOPS_BY}"
COLLAPSED_SHARE: Final = 0.2

Logs = dict[str, float]
Say = Callable[[str], None]


class Clock(tf.keras.callbacks.Callback):
    """Takes the speed of training, before anything is measured.

    Args:
      pairs: of an epoch.
    """

    def __init__(self, pairs: int) -> None:
        super().__init__()
        self._pairs = pairs

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["pairs_per_second"] = self._pairs / (time.perf_counter() - self._start)


class LossCheck(tf.keras.callbacks.Callback):
    """Stops a run whose loss is not a number, and says what to change."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        loss = float((logs or {}).get("loss", np.nan))
        if not np.isfinite(loss):
            raise TrainingError(
                f"The loss of epoch {epoch + 1} should be a number. Received: {loss}. "
                "Lower `training.learning_rate`."
            )


class Measure(tf.keras.callbacks.Callback):
    """Measures the epoch, keeps the best weights, and reports both.

    Where there is nothing to measure, no figure is reported, neither to people nor to
    TensorBoard, and the last epoch's weights are kept. The chief's figure decides.

    Args:
      validation: what is measured.
      state: of the run.
      say: called with one sentence at a time.
      team: who trains.
      trained: whether the weights can rate already, which then is epoch 0.
    """

    def __init__(
        self,
        validation: Validation,
        state: RunState,
        say: Say,
        team: Team,
        trained: bool = False,
    ) -> None:
        super().__init__()
        self._trained = trained
        self._validation = validation
        self._state = state
        self._say = say
        self._team = team

    def on_train_begin(self, logs: Logs | None = None) -> None:
        begins = not int(self._state.epoch.numpy())
        if begins and self._trained and self._validation.possible:
            measured = self._measure()
            self._state.end_epoch(0, measured.ndcg)
            self._say(f"Epoch 0: {STOPS_BY_IN_WORDS} {measured.ndcg:.4f}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs if logs is not None else {}
        measured = self._measure() if self._validation.possible else None
        self._state.end_epoch(epoch + 1, measured and measured.ndcg)
        best = int(self._state.best_epoch.numpy()) == epoch + 1
        self._say(
            f"Epoch {epoch + 1}: loss {logs['loss']:.4f}, {STOPS_BY_IN_WORDS} "
            + _in_words(measured, best)
        )
        if measured is None:
            return
        logs[MONITOR] = measured.ndcg
        logs["validation_hr@10"] = measured.hr
        logs["validation_mrr"] = measured.mrr
        logs["validation_tied"] = measured.tied
        if measured.tied > COLLAPSED_SHARE:
            self._say(
                f"The network has collapsed: {measured.tied:.0%} of the catalogue is "
                "tied at one score, so most ReLUs are dead. Lower "
                "`training.learning_rate`."
            )

    def _measure(self) -> Measured:
        """The chief's figures; the others would only wait for them, so they measure."""
        found = self._validation.measure()
        return Measured(*(self._team.from_chief(value) for value in found))


def _in_words(measured: Measured | None, best: bool) -> str:
    if measured is None:
        return "not measured"
    return f"{measured.ndcg:.4f}" + (" (best so far)" if best else "")


class Curve(tf.keras.callbacks.Callback):
    """Writes the figures of every epoch, and goes on with those of a killed run.

    Args:
      file: of a JSON list, an object an epoch.
      state: of the run, restored.

    Attributes:
      epochs: the figures so far.
    """

    def __init__(self, file: Path, state: RunState) -> None:
        super().__init__()
        self._file = file
        self.epochs: list[Logs] = []
        if file.exists():
            known = json.loads(file.read_text(encoding="utf-8"))
            self.epochs = known[: int(state.epoch.numpy())]

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        self.epochs.append({"epoch": epoch + 1, **figures})
        text = json.dumps(self.epochs, indent=2) + "\n"
        whole = self._file.with_suffix(".new")
        whole.write_text(text, encoding="utf-8")
        whole.replace(self._file)


class Checkpoint(tf.keras.callbacks.Callback):
    """Saves everything that a killed run needs, once an epoch.

    Args:
      model: with its optimiser.
      state: of the run.
      folder: of the checkpoints.
      saves: whether this process does; the others only read.
    """

    def __init__(
        self, model: PairModel, state: RunState, folder: Path, saves: bool
    ) -> None:
        super().__init__()
        self._saves = saves
        model.optimizer.build(model.network.trainable_variables)
        self._checkpoint = tf.train.Checkpoint(
            network=model.network,
            optimizer=model.optimizer,
            step=model.step,
            epoch=state.epoch,
            best=state.best,
            best_epoch=state.best_epoch,
            weights=state.weights,
            other=state.averaging.other,
        )
        _ = self._checkpoint.save_counter  # a variable, which all workers have to make
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(folder), 1)

    def resume(self) -> bool:
        """Goes on from the last checkpoint; whether there was one."""
        if not self._manager.latest_checkpoint:
            return False
        status = self._checkpoint.restore(self._manager.latest_checkpoint)
        status.assert_existing_objects_matched()
        return True

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._saves:
            self._manager.save()


class Stop(tf.keras.callbacks.Callback):
    """Ends training once patience, the epochs or the time limit have run out."""

    def __init__(self, state: RunState, training: TrainingConfig, team: Team) -> None:
        super().__init__()
        self._team = team
        self._state = state
        self._training = training
        self._deadline = time.monotonic() + training.time_limit_s

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        over = time.monotonic() > self._deadline
        if self._team.from_chief(over) or not self._state.epochs_left(self._training):
            self.model.stop_training = True


class Bar(tf.keras.callbacks.Callback):
    """Moves the progress bar once a step, cheaply."""

    def __init__(self, bar: Progress) -> None:
        super().__init__()
        self._bar = bar

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._bar.advance()
