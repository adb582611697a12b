"""Every flag of the server, once: TF Serving's names, defaults and meanings."""

from __future__ import annotations

import dataclasses
from typing import Any


def _flag(default: Any, text: str) -> Any:
    return dataclasses.field(default=default, metadata={"help": text})


@dataclasses.dataclass(frozen=True)
class Options:
    """What `tensorflow_model_server` takes on its command line.

    Example:
      with Server(Options(model_name="uvcan", model_base_path="/models/uvcan")) as s:
          print(s.port)
    """

    port: int = _flag(8500, "gRPC port.")
    grpc_socket_path: str = _flag("", "Unix socket to listen on as well.")
    host: str = _flag("0.0.0.0", "Address to listen on.")
    rest_api_port: int = _flag(0, "REST port; 0 is off.")
    rest_api_timeout_in_ms: int = _flag(30_000, "Deadline of a REST call.")
    rest_api_max_body_bytes: int = _flag(
        2**24, "Largest REST body, as sent and inflated; others are refused."
    )
    rest_api_max_values: int = _flag(
        2**18, "Most JSON values of a REST body, lists and their elements alike."
    )
    rest_api_max_nesting: int = _flag(
        64, "Most lists and objects of a REST body inside each other."
    )
    rest_api_enable_cors_support: bool = _flag(False, "Add CORS headers to REST.")
    model_name: str = _flag("default", "Name of the one model to serve.")
    model_base_path: str = _flag("", "Folder of that model's version folders.")
    model_config_file: str = _flag("", "Text ModelServerConfig: several models.")
    model_config_file_poll_wait_seconds: float = _flag(
        0.0, "Seconds between readings of the model config file; 0 is once."
    )
    file_system_poll_wait_seconds: float = _flag(
        1.0, "Seconds between looks for new versions; 0 is once."
    )
    max_num_load_retries: int = _flag(5, "Further attempts to load a version.")
    load_retry_interval_micros: int = _flag(60_000_000, "Pause between them.")
    enable_model_warmup: bool = _flag(True, "Run a version's warm-up records first.")
    num_request_iterations_for_warmup: int = _flag(1, "Times each record is run.")
    allow_version_labels_for_unavailable_models: bool = _flag(
        False, "Accept new labels of versions that are not ready."
    )
    enable_signature_method_name_check: bool = _flag(
        False, "Refuse signatures of another method's kind."
    )
    enable_grpc_healthcheck_service: bool = _flag(False, "Serve grpc.health.v1.")
    enable_batching: bool = _flag(False, "Join requests into batches.")
    batching_parameters_file: str = _flag("", "Text BatchingParameters.")
    enable_per_model_batching_parameters: bool = _flag(
        False, "Take batching_params.pbtxt of the version's folder instead."
    )
    monitoring_config_file: str = _flag("", "Text MonitoringConfig.")
    ssl_config_file: str = _flag("", "Text SSLConfig: TLS, mutual if it says so.")
    tls_key: str = _flag("", "PEM private key of the gRPC server: TLS.")
    tls_certificate: str = _flag("", "PEM certificate of the gRPC server.")
    tls_roots: str = _flag(
        "", "PEM certificates that clients must be signed by: mutual TLS."
    )
    num_load_threads: int = _flag(0, "Accepted; each model has a thread of its own.")
    num_unload_threads: int = _flag(0, "Accepted, as above.")
    tensorflow_session_parallelism: int = _flag(0, "Threads for both kinds; 0: auto.")
    tensorflow_intra_op_parallelism: int = _flag(0, "Threads inside an op; 0: auto.")
    tensorflow_inter_op_parallelism: int = _flag(0, "Threads between ops; 0: auto.")
    saved_model_tags: str = _flag("serve", "Comma-separated tags of the graph.")
    grpc_channel_arguments: str = _flag("", "k=v,k=v for the gRPC server.")
    grpc_max_threads: int = _flag(
        0, "gRPC calls at once, others are refused; 0: 4 per CPU."
    )
    drain_seconds: float = _flag(30.0, "Time for open calls when asked to stop.")
