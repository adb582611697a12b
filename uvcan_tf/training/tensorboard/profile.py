"""Records what some training steps spend their time on, for TensorBoard's Profile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.training.tensorboard.board import Logs


class Profile(tf.keras.callbacks.Callback):
    """Starts TensorFlow's profiler before a step, and ends it after another.

    Args:
      model: counts the steps, also of a run that was taken up again.
      steps: the first and the last one, counted from 1; without them, none.
      logs: of the run; the profile lies below its folder, where TensorBoard finds it.
      say: called with a sentence where training ended before the first step.
    """

    def __init__(
        self,
        model: PairModel,
        steps: tuple[int, ...],
        logs: Logs,
        say: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._first, self._last = steps or (0, 0)
        self._watched, self._logs, self._say = model, logs, say
        self._step = 0
        self._runs = self._began = False

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Ends what still runs, however training ends."""
        try:
            yield
        finally:
            self._stop()
        if self._first and not self._began:
            self._say(
                f"No profile was written: training ended after step {self._step}, and "
                f"`training.profile_steps` begins at {self._first}."
            )

    def on_train_begin(self, logs: Any = None) -> None:
        self._step = int(self._watched.step.numpy())

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._step += 1
        if self._step == self._first:
            self._runs = self._began = True
            tf.profiler.experimental.start(str(self._logs.folder))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._step == self._last:
            self._stop()

    def _stop(self) -> None:
        if self._runs:
            self._runs = False
            tf.profiler.experimental.stop()
