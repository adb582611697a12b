"""What stands in a version's way, said once, and what is waited for, every minute."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable
from typing import Final

from serving.server.storage import (
    ModelConfig,
    incomplete_versions,
    waiting_for,
    wanted_versions,
)

_TELL_S: Final = 60.0
_LOG = logging.getLogger(__name__)


class Saying:
    """Sentences about the models' folders, for the log."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._waited = -math.inf

    def of_incomplete(self, configs: Iterable[ModelConfig]) -> None:
        """Names each incomplete version that was not named at the last look."""
        found = {told for config in configs for told in incomplete_versions(config)}
        for sentence in sorted(found - self._said):
            _LOG.warning("%s", sentence)
        self._said = found

    def of_waiting(self, config: ModelConfig) -> None:
        """Says at once, then every minute, what a model without versions waits for."""
        if time.monotonic() >= self._waited + _TELL_S and not wanted_versions(config):
            _LOG.warning("%s", waiting_for(config))
            self._waited = time.monotonic()
