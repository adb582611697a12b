"""One model's versions: load the wanted ones first, then unload the others."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from serving.server.history import Entry, History, State
from serving.server.memory import give_back
from serving.server.servable import Model, Servable
from serving.server.status import Code, StatusError, as_status

STOP_S: Final = 600.0
_LOG = logging.getLogger(__name__)

Loader = Callable[[Path], Model]
Contents = tuple[tuple[str, int, int], ...] | None


@dataclasses.dataclass(frozen=True)
class Loading:
    """How versions are loaded.

    Args:
      load: a version folder into a model; what it raises is the load's failure.
      retries: further attempts after a failed one.
      pause_s: between attempts.
    """

    load: Loader
    retries: int = 5
    pause_s: float = 60.0


class VersionedModel:
    """Keeps the wanted versions of one model ready, in a thread of its own.

    A version that is no longer wanted keeps serving until a wanted one is ready, so
    there is no gap. A version that failed is tried again once its folder has changed.
    Nothing that a version does can end the thread.
    """

    def __init__(self, name: str, loading: Loading, history: History) -> None:
        self.name = name
        self.ready: Mapping[int, Servable] = {}
        self.failed: dict[int, StatusError] = {}
        self._loading = loading
        self._history = history
        self._wanted: Mapping[int, Path] = {}
        self._tried: dict[int, Contents] = {}  # what lay in a version's folder
        self._generation = 0
        self._settled = 0
        self._stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(
            target=self._keep, name=f"versions-of-{name}", daemon=True
        )
        self._thread.start()

    def want(self, versions: Mapping[int, Path]) -> None:
        """Sets the versions to serve; loading and unloading follow on their own.

        A version that failed is forgotten when its folder is gone or has changed.
        """
        tried = self._tried
        now = {v: contents(versions.get(v)) for v in list(self.failed)}
        with self._changed:
            forgotten = {v for v, found in now.items() if found != tried.get(v)}
            self.failed = {v: e for v, e in self.failed.items() if v not in forgotten}
            again = bool(forgotten & versions.keys())
            if versions == self._wanted and self._generation and not again:
                return
            for version in (versions.keys() - self._wanted.keys()) | (
                forgotten & versions.keys()
            ):
                if version not in self.ready and version not in self.failed:
                    self._record(version, Entry(State.START))
            self._wanted = dict(versions)
            self._generation += 1
            self._changed.notify_all()

    def wait_until_decided(self, timeout_s: float | None = None) -> bool:
        """Waits until a version is ready or every wanted one has failed."""
        with self._changed:
            return self._changed.wait_for(self._decided, timeout_s)

    def stop(self) -> None:
        """Unloads everything and ends the thread, or leaves it to its load."""
        self.want({})
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(STOP_S)

    def _decided(self) -> bool:
        wanted = set(self._wanted)
        ready = wanted & self.ready.keys()
        return bool(ready or (wanted and wanted <= self.failed.keys()))

    def _keep(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._settled != self._generation or self._stopped
                )
                if self._settled == self._generation:
                    return
                generation, wanted = self._generation, self._wanted
            try:
                self._settle(wanted)
            except Exception as error:
                as_status(error, f"Keeping the versions of model {self.name}")
            with self._changed:
                self._settled = generation

    def _settle(self, wanted: Mapping[int, Path]) -> None:
        for version in sorted(wanted.keys() - self.ready.keys(), reverse=True):
            if version not in self.failed:
                self._load(version, wanted[version])
        self._unload_unwanted()

    def _load(self, version: int, folder: Path) -> None:
        self._record(version, Entry(State.LOADING))
        failure: StatusError | None = None
        for attempt in range(self._loading.retries + 1):
            if attempt and not self._pause(version):
                break
            self._tried[version] = contents(folder)
            try:
                servable = Servable(self.name, version, self._loading.load(folder))
            except Exception as error:
                failure = as_status(error, f"Loading {folder}").with_traceback(None)
                why = " ".join(str(failure).split())  # TensorFlow's has several lines
                _LOG.warning("%s cannot be loaded: %s", folder, why)
                continue
            self._set_ready({**self.ready, version: servable})
            self._record(version, Entry(State.AVAILABLE))
            return
        assert failure is not None
        self._record(version, Entry(State.END, failure.code, failure.message))
        with self._changed:
            self.failed[version] = failure
            self._changed.notify_all()

    def _pause(self, version: int) -> bool:
        """Waits before another attempt; False when the version is wanted no more."""
        with self._changed:
            self._changed.wait_for(
                lambda: version not in self._wanted, self._loading.pause_s
            )
            return version in self._wanted

    def _unload_unwanted(self) -> None:
        wanted = self._wanted
        replaced = not wanted or bool(wanted.keys() & self.ready.keys())
        for version, servable in sorted(self.ready.items()):
            if replaced and version not in wanted:
                self._record(version, Entry(State.UNLOADING))
                self._set_ready({v: s for v, s in self.ready.items() if v != version})
                try:
                    servable.close()
                except Exception as error:
                    as_status(error, f"Unloading version {version} of {self.name}")
                gc.collect()  # graphs are cycles; each holds megabytes
                give_back()
                self._record(version, Entry(State.END))
        with self._changed:
            if not self.ready:
                self.failed = {v: e for v, e in self.failed.items() if v in wanted}

    def _set_ready(self, ready: Mapping[int, Servable]) -> None:
        with self._changed:
            self.ready = ready
            self._changed.notify_all()

    def _record(self, version: int, entry: Entry) -> None:
        self._history.record(self.name, version, entry)


def contents(folder: Path | None) -> Contents:
    """Names, sizes and times of what lies in a folder; None where it is gone.

    It may be written or removed meanwhile: what is gone by then is left out.
    """
    if folder is None or not os.path.exists(folder):
        return None
    found = []
    for place, folders, files in os.walk(folder):
        for path in (os.path.join(place, name) for name in (*folders, *files)):
            with contextlib.suppress(OSError):
                told = os.stat(path)
                found.append((path, told.st_size, told.st_mtime_ns))
    return tuple(sorted(found))


def not_ready(name: str, version: int | None) -> StatusError:
    """The status of a request for a version that is not ready."""
    wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    return StatusError(Code.NOT_FOUND, f"Servable not found for request: {wanted}")
