"""Every call the server knows, free of transport: a message in, a message out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from serving.server import inference, metadata, predict
from serving.server.metrics import Metrics
from serving.server.reload import reload_config
from serving.server.run import Run
from serving.server.status import Code, StatusError, as_status, invalid_argument
from serving.server.store import ModelStore
from serving.wire import services
from serving.wire.protos import model_pb2

_INFERENCES: Final[Mapping[str, Callable[[Any, Run], Any]]] = {
    services.PREDICT: predict.predict,
    services.CLASSIFY: inference.classify,
    services.REGRESS: inference.regress,
    services.MULTI_INFERENCE: inference.multi_inference,
}


class Api:
    """The two services over one model store.

    Args:
      store: of the models.
      metrics: counts inferences.
      check_method: refuse signatures of another method's kind.
    """

    def __init__(
        self, store: ModelStore, metrics: Metrics, check_method: bool = False
    ) -> None:
        self.store = store
        self.metrics = metrics
        self._check_method = check_method
        self._others: Mapping[str, Callable[[Any, float | None], Any]] = {
            services.GET_MODEL_METADATA: self._metadata,
            services.GET_MODEL_STATUS: self._status,
            services.RELOAD_CONFIG: self._reload,
        }

    def call(self, name: str, request: Any, timeout_s: float | None) -> Any:
        """The reply to one of `services.METHODS`, with so many seconds left.

        Raises:
          StatusError: what the caller is told instead.
        """
        if name in _INFERENCES:
            return self._infer(name, request, timeout_s)
        return self._others[name](request, timeout_s)

    def counted(
        self, name: str, request: Any, timeout_s: float | None, by: tuple[str, str]
    ) -> Any:
        """As `call`, and nothing but a StatusError leaves it.

        Args:
          name: of the method.
          request: its message.
          timeout_s: seconds left; None is no limit.
          by: (API, entry point) under which an inference is noted.
        """
        begun = time.perf_counter()
        try:
            status = "OK"
            return self.call(name, request, timeout_s)
        except StatusError as error:
            status = error.code.name
            raise
        except Exception as error:
            status = Code.INTERNAL.name
            raise as_status(error, name) from error
        finally:
            if name in _INFERENCES:
                took = time.perf_counter() - begun
                model = services.model_name(request)
                self.metrics.answered(model, by, status, took)

    def _infer(self, name: str, request: Any, timeout_s: float | None) -> Any:
        with self.store.use(_spec(request)) as servable:
            run = Run(servable, name, self.metrics, timeout_s, self._check_method)
            return _INFERENCES[name](request, run)

    def _metadata(self, request: Any, timeout_s: float | None) -> Any:
        metadata.check_metadata_request(request)
        with self.store.use(request.model_spec) as servable:
            return metadata.model_metadata(servable)

    def _status(self, request: Any, timeout_s: float | None) -> Any:
        return metadata.model_status(request, self.store)

    def _reload(self, request: Any, timeout_s: float | None) -> Any:
        return reload_config(request, self.store, timeout_s)


def _spec(request: Any) -> Any:
    """The ModelSpec; MultiInference has it in its first task."""
    if not hasattr(request, "model_spec"):
        tasks = request.tasks
        return tasks[0].model_spec if tasks else model_pb2.ModelSpec()
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    return request.model_spec
