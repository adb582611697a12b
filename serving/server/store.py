"""All models of the server: polled on disk, found by ModelSpec, replaced by config."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from serving.server.history import History
from serving.server.lifecycle import Loading, VersionedModel, not_ready
from serving.server.saying import Saying
from serving.server.servable import Servable
from serving.server.status import Code, StatusError, as_status, invalid_argument
from serving.server.storage import ModelConfig, wanted_versions
from serving.wire.protos import model_pb2

RELOAD_LIMIT_S: Final = 600.0  # of a reload whose caller sets no limit
_PAUSE_S: Final = 0.1  # between looks while new models are awaited


class ModelStore:
    """The models being served.

    Args:
      loading: how versions are loaded.
      poll_s: seconds between looks at the base paths; 0 looks once.
      unready_labels: accept new labels of versions that are not ready.
    """

    def __init__(
        self, loading: Loading, poll_s: float = 1.0, unready_labels: bool = False
    ) -> None:
        self.history = History()
        self._loading = loading
        self._poll_s = poll_s
        self._unready_labels = unready_labels
        self._saying = Saying()
        self._configs: Mapping[str, ModelConfig] = {}
        self._models: Mapping[str, VersionedModel] = {}
        self._labels: Mapping[str, Mapping[str, int]] = {}
        self._applying = threading.Lock()
        self._looking = threading.Lock()
        self._stopped = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="poll", daemon=True)
        self._poller.start()

    def apply(
        self, configs: Iterable[ModelConfig], timeout_s: float | None = None
    ) -> None:
        """Serves exactly these models; returns when every new one is ready.

        All or nothing: until then the models served before stay as they are, and
        where it raises they go on as if it had never been called.

        Args:
          configs: all models to serve; the ones served before and not in it go.
          timeout_s: how long to wait for the new ones; without end when None.

        Raises:
          StatusError: a name twice; a label of a version that is not ready; a new
            model none of whose versions could be loaded, or not in time.
        """
        by_name = index(configs)
        ends = time.monotonic() + (math.inf if timeout_s is None else timeout_s)
        if not self._applying.acquire(timeout=-1 if timeout_s is None else timeout_s):
            raise StatusError(
                Code.DEADLINE_EXCEEDED, "Another reload is in progress still."
            )
        try:
            self._swap(by_name, ends)
        finally:
            self._applying.release()

    @contextmanager
    def use(self, spec: model_pb2.ModelSpec) -> Iterator[Servable]:
        """The ready version that a spec asks for, kept loaded within the block."""
        while True:
            servable = self._find(spec)
            with servable.use() as taken:
                if taken:
                    yield servable
                    return

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls it whenever a version or the list of models has changed."""
        self.history.listen(listener)

    def all_ready(self) -> bool:
        """Whether every model has a version that is ready."""
        models = self._models.values()
        return bool(models) and all(model.ready for model in models)

    def stop(self) -> None:
        """Unloads everything."""
        self._stopped.set()
        self._poller.join()
        for model in self._models.values():
            model.stop()
        self._models = {}

    def _find(self, spec: model_pb2.ModelSpec) -> Servable:
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        version = self._version(spec)
        model = self._models.get(spec.name)
        ready = model.ready if model else {}
        chosen = max(ready, default=None) if version is None else version
        if chosen is None or chosen not in ready:
            raise not_ready(spec.name, version)
        return ready[chosen]

    def _version(self, spec: model_pb2.ModelSpec) -> int | None:
        choice = spec.WhichOneof("version_choice")
        if choice == "version":
            return int(spec.version.value)
        if choice == "version_label":
            labels = self._labels.get(spec.name, {})
            if spec.version_label not in labels:
                raise invalid_argument(
                    f"Unrecognized servable version label: {spec.version_label}"
                )
            return labels[spec.version_label]
        return None

    def _swap(self, configs: Mapping[str, ModelConfig], ends: float) -> None:
        """Gets the new models ready aside, then lets them take over."""
        previous = self._models
        new = {n: c for n, c in configs.items() if n not in previous}
        remembered = {name: self.history.of(name) for name in new}
        added = {
            name: VersionedModel(name, self._loading, self.history) for name in new
        }
        try:
            self._await(added, new, ends)
            models = {name: {**previous, **added}[name] for name in configs}
            labels = self._labels_of(configs, models)
        except BaseException:
            for name, model in added.items():
                model.stop()
                self.history.restore(name, remembered[name])
            raise
        with self._looking:
            self._configs, self._models, self._labels = configs, models, labels
        self._look()
        for name in previous.keys() - configs.keys():
            previous[name].stop()
        self.history.tell()

    def _await(
        self,
        added: Mapping[str, VersionedModel],
        configs: Mapping[str, ModelConfig],
        ends: float,
    ) -> None:
        """Waits until each new model has a ready version, or all of them failed."""
        _tell_versions(configs, added)
        looked, saying = time.monotonic(), Saying()
        for model in added.values():
            while not model.wait_until_decided(_PAUSE_S):
                now = time.monotonic()
                saying.of_waiting(configs[model.name])
                if self._stopped.is_set():
                    raise StatusError(Code.CANCELLED, "The server is stopping.")
                if now > ends:
                    raise StatusError(
                        Code.DEADLINE_EXCEEDED,
                        f"Model {model.name} has no version that is ready yet",
                    )
                if self._poll_s and now >= looked + self._poll_s:
                    _tell_versions(configs, added)
                    looked = now
        _check_ready(added)

    def _labels_of(
        self,
        configs: Mapping[str, ModelConfig],
        models: Mapping[str, VersionedModel],
    ) -> Mapping[str, Mapping[str, int]]:
        """Versions by label, of each model; raises where one is not ready."""
        labels = {name: dict(config.labels) for name, config in configs.items()}
        for name, versions in labels.items():
            for label, version in versions.items():
                if version in models[name].ready:
                    continue
                elsewhere = self._labels.get(name, {}).get(label, version) != version
                if not self._unready_labels or elsewhere:
                    raise StatusError(
                        Code.FAILED_PRECONDITION,
                        f"Request to assign label to version {version} of model "
                        f"{name}, which is not currently available for inference",
                    )
        return labels

    def _look(self) -> None:
        """Tells each model which versions lie under its base path now."""
        with self._looking:
            _tell_versions(self._configs, self._models)
            self._saying.of_incomplete(self._configs.values())

    def _poll(self) -> None:
        while self._poll_s and not self._stopped.wait(self._poll_s):
            try:
                self._look()
            except Exception as error:
                as_status(error, "Looking for versions")


def _tell_versions(
    configs: Mapping[str, ModelConfig], models: Mapping[str, VersionedModel]
) -> None:
    for name, config in configs.items():
        versions = wanted_versions(config)
        if versions is not None:
            models[name].want(versions)


def _check_ready(models: Mapping[str, VersionedModel]) -> None:
    failures = [
        f"{{{{name: {name} version: {version}}} due to error: "
        f"{error.code.name}: {error.message}}}, "
        for name, model in models.items()
        if not model.ready
        for version, error in model.failed.items()
    ]
    if failures:
        raise StatusError(
            Code.UNKNOWN,
            f"{len(failures)} servable(s) did not become available: "
            f"{{{''.join(failures)}}}",
        )


def index(configs: Iterable[ModelConfig]) -> dict[str, ModelConfig]:
    """The models by name; refuses a name that is listed twice."""
    by_name: dict[str, ModelConfig] = {}
    for config in configs:
        if config.name in by_name:
            raise invalid_argument(
                f"Illegal to list model {config.name} multiple times in config list"
            )
        by_name[config.name] = config
    return by_name
