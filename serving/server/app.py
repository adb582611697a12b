"""The embedded server: store, API and transport, put together."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import grpc

from serving.server import addresses, config
from serving.server.api import Api
from serving.server.health import Health
from serving.server.lifecycle import Loading
from serving.server.loading import VersionLoader
from serving.server.metrics import Metrics
from serving.server.options import Options
from serving.server.polling import ConfigPoller
from serving.server.rest.limits import Limits
from serving.server.rest.server import RestServer
from serving.server.signals import wait_to_be_told
from serving.server.storage import ModelConfig
from serving.server.store import ModelStore
from serving.server.tls import credentials_of
from serving.server.transport import Gate, grpc_server


class Server(AbstractContextManager["Server"]):
    """Serves the models of the options once all of them are ready.

    Example:
      with Server(Options(model_base_path="/models/uvcan", port=0)) as server:
          print(server.port)

    Raises:
      StatusError: the options cannot be used, or a model cannot be loaded.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        addresses.check_free(options)
        models = config.models_of(options)
        credentials = credentials_of(options)
        monitoring_path = config.monitoring_path_of(options)
        metrics = Metrics()
        self._loader = VersionLoader(options, metrics)
        self.store = ModelStore(
            Loading(
                self._loader,
                options.max_num_load_retries,
                options.load_retry_interval_micros / 1e6,
            ),
            options.file_system_poll_wait_seconds,
            options.allow_version_labels_for_unavailable_models,
        )
        self.api = Api(self.store, metrics, options.enable_signature_method_name_check)
        self._gate = Gate()
        serves_health = options.enable_grpc_healthcheck_service
        self._health = Health(self.store) if serves_health else None
        self._grpc = grpc_server(
            self.api,
            config.grpc_threads_of(options),
            config.channel_arguments_of(options),
            self._health,
            self._gate,
        )
        self._poller: ConfigPoller | None = None
        self._rest: RestServer | None = None
        try:
            self.store.apply(models)
            self._poller = self._poll_config(models)
            self.port = self._listen(credentials)
            self._rest = self._start_rest(monitoring_path)
            self._grpc.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Takes no more calls, lets the open ones end, unloads the models."""
        if self._health:
            self._health.stop()
        if self._rest:
            self._rest.ask_to_stop()  # both drain at the same time
        self._gate.stop(self._grpc, self.options.drain_seconds)
        if self._rest:
            self._rest.stop()
        if self._poller:
            self._poller.stop()
        self.store.stop()
        self._loader.stop()

    @property
    def listens_on(self) -> list[str]:
        """Every address, and what answers there."""
        options = self.options
        found = [f"gRPC on {options.host}:{self.port}"]
        if options.grpc_socket_path:
            found.append(f"gRPC on unix:{options.grpc_socket_path}")
        if self._rest:
            found.append(f"REST on {options.host}:{self._rest.port}")
        return found

    def run_until_signalled(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains."""
        wait_to_be_told()
        self.stop()

    def _listen(self, credentials: grpc.ServerCredentials | None) -> int:
        """Adds the addresses; the port that was found."""
        address = f"{self.options.host}:{self.options.port}"
        try:
            if self.options.grpc_socket_path:
                self._grpc.add_insecure_port(f"unix:{self.options.grpc_socket_path}")
            if credentials is None:
                return int(self._grpc.add_insecure_port(address))
            return int(self._grpc.add_secure_port(address, credentials))
        except RuntimeError as error:
            raise addresses.cannot_listen(address, str(error)) from None

    def _start_rest(self, monitoring_path: str | None) -> RestServer | None:
        options = self.options
        if not options.rest_api_port:
            return None
        metrics = (monitoring_path, self.api.metrics.text) if monitoring_path else None
        return RestServer(
            self.api,
            (options.host, options.rest_api_port),
            metrics,
            options.rest_api_enable_cors_support,
            Limits(
                options.rest_api_max_body_bytes,
                options.rest_api_max_values,
                options.rest_api_max_nesting,
                options.rest_api_timeout_in_ms / 1000,
                options.drain_seconds,
            ),
        )

    def _poll_config(self, models: list[ModelConfig]) -> ConfigPoller | None:
        wait_s = self.options.model_config_file_poll_wait_seconds
        if not (wait_s and self.options.model_config_file):
            return None
        path = Path(self.options.model_config_file)
        return ConfigPoller(path, self.store, models, wait_s)
