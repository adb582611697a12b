"""From a version's folder to a model that is warm, measured and perhaps batched."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving.server.batching import BatchedModel
from serving.server.config import batching_of, threads_of
from serving.server.memory import give_back
from serving.server.metrics import Metrics
from serving.server.options import Options
from serving.server.parameters import PER_MODEL_FILE, Parameters, read_parameters
from serving.server.queueing import Scheduler
from serving.server.savedmodel import SavedModel
from serving.server.servable import Model
from serving.server.status import StatusError
from serving.server.warmup import FILE, warm_up


class VersionLoader:
    """Loads versions as the options say.

    Args:
      options: of the server.
      metrics: told how long loading and warming up took.
    """

    def __init__(self, options: Options, metrics: Metrics) -> None:
        self._options = options
        self._metrics = metrics
        self._parameters = batching_of(options)
        self._scheduler = (
            Scheduler(self._parameters.num_batch_threads) if self._parameters else None
        )

    def __call__(self, folder: Path) -> Model:
        """A model that is ready.

        Raises:
          StatusError: the folder holds none, or a warm-up request failed.
        """
        tags = self._options.saved_model_tags.split(",")
        model: Model = self._timed(
            self._metrics.loaded,
            folder,
            lambda: SavedModel(folder, tags, threads_of(self._options)),
        )
        parameters = self._parameters_of(folder)
        if self._scheduler and parameters:
            model = BatchedModel(model, self._scheduler, parameters, self._metrics)
        if self._options.enable_model_warmup and (folder / FILE).is_file():
            times = self._options.num_request_iterations_for_warmup
            try:
                self._timed(
                    self._metrics.warmed_up,
                    folder,
                    lambda: warm_up(model, folder, times, self._metrics),
                )
            except Exception:
                model.close()
                raise
        give_back()  # what only the load took
        return model

    def stop(self) -> None:
        """Ends the batch threads."""
        if self._scheduler:
            self._scheduler.stop()

    def _parameters_of(self, folder: Path) -> Parameters | None:
        """The version's own where the options say so, and then only where it has any.

        Threads are shared by all models.
        """
        if not self._options.enable_per_model_batching_parameters:
            return self._parameters
        path = folder / PER_MODEL_FILE
        return read_parameters(path) if path.is_file() else None

    def _timed(
        self,
        record: Callable[[str, str, float], None],
        folder: Path,
        work: Callable[[], Any],
    ) -> Any:
        begun = time.perf_counter()
        status = "OK"
        try:
            return work()
        except StatusError as error:
            status = error.code.name
            raise
        finally:
            record(str(folder), status, time.perf_counter() - begun)
