"""The model config file, read again and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from serving.server.config import read_models
from serving.server.status import as_status
from serving.server.storage import ModelConfig, check_base_paths
from serving.server.store import RELOAD_LIMIT_S, ModelStore

_LOG = logging.getLogger(__name__)


class ConfigPoller:
    """Applies the file whenever it has changed.

    A file that cannot be used changes nothing, is logged, and is tried again; one
    without any model is taken to be half written.

    Args:
      path: of a text ModelServerConfig.
      store: to apply it to.
      current: the models that it named when the server started.
      wait_s: seconds between readings.
    """

    def __init__(
        self,
        path: Path,
        store: ModelStore,
        current: Sequence[ModelConfig],
        wait_s: float,
    ) -> None:
        self._path = path
        self._store = store
        self._current = list(current)
        self._wait_s = wait_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="config", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a reload in progress ends first."""
        self._stopped.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._stopped.wait(self._wait_s):
            try:
                self._read()
            except Exception as error:
                status = as_status(error, "Reading the model config file")
                _LOG.error("%s cannot be applied: %s", self._path, status)

    def _read(self) -> None:
        models = read_models(self._path)
        if models and models != self._current:
            check_base_paths(models)
            self._store.apply(models, RELOAD_LIMIT_S)
            self._current = models
