"""Options and text-proto files into what the server is built of."""

from __future__ import annotations

import os
from pathlib import Path

from serving.server.files import read_monitoring, read_text
from serving.server.metrics import DEFAULT_PATH
from serving.server.options import Options
from serving.server.parameters import Parameters, read_parameters
from serving.server.status import invalid_argument
from serving.server.storage import ModelConfig
from serving.wire.protos import model_server_config_pb2

PLATFORM = "tensorflow"


def models_of(options: Options) -> list[ModelConfig]:
    """The models to serve at the start."""
    if options.model_config_file:
        return read_models(Path(options.model_config_file))
    if not options.model_base_path:
        raise invalid_argument(
            "Both server_options.model_base_path and server_options.model_config_file "
            "are empty!"
        )
    return [ModelConfig(options.model_name, Path(options.model_base_path))]


def read_models(path: Path) -> list[ModelConfig]:
    """Reads a text ModelServerConfig."""
    config = model_server_config_pb2.ModelServerConfig()
    read_text(path, config)
    return models_from(config)


def models_from(
    config: model_server_config_pb2.ModelServerConfig,
) -> list[ModelConfig]:
    """Checks a ModelServerConfig and takes its models."""
    return [_model_from(entry) for entry in config.model_config_list.config]


def batching_of(options: Options) -> Parameters | None:
    """How requests are joined; None leaves them alone."""
    if options.batching_parameters_file and not options.enable_batching:
        raise invalid_argument(
            "server_options.batching_parameters_file is set without setting "
            "server_options.enable_batching to true."
        )
    if not options.enable_batching:
        return None
    if not options.batching_parameters_file:
        return Parameters()
    return read_parameters(Path(options.batching_parameters_file))


def monitoring_path_of(options: Options) -> str | None:
    """Where metrics are told; None where they are not."""
    if not options.monitoring_config_file:
        return None
    config = read_monitoring(Path(options.monitoring_config_file)).prometheus_config
    return (config.path or DEFAULT_PATH) if config.enable else None


def threads_of(options: Options) -> tuple[int, int]:
    """Session threads inside an op and between ops."""
    both = options.tensorflow_session_parallelism
    return (
        both or options.tensorflow_intra_op_parallelism,
        both or options.tensorflow_inter_op_parallelism,
    )


def grpc_threads_of(options: Options) -> int:
    """Calls that are answered at once."""
    return options.grpc_max_threads or 4 * (os.cpu_count() or 1)


def channel_arguments_of(options: Options) -> dict[str, int | str]:
    """`k=v,k=v` into a mapping; numbers become ints."""
    arguments: dict[str, int | str] = {}
    for pair in filter(None, options.grpc_channel_arguments.split(",")):
        key, _, value = pair.partition("=")
        arguments[key] = int(value) if value.lstrip("-").isdigit() else value
    return arguments


def _model_from(entry: model_server_config_pb2.ModelConfig) -> ModelConfig:
    platform = entry.model_platform
    if entry.model_type == model_server_config_pb2.TENSORFLOW:
        platform = platform or PLATFORM
    if not platform:
        raise invalid_argument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            f"ModelServerConfig::model_platform, model name is {entry.name}"
        )
    if platform != PLATFORM:
        raise invalid_argument(
            f"Model {entry.name} requests unsupported platform {platform}"
        )
    return ModelConfig(
        name=entry.name,
        base_path=Path(entry.base_path),
        policy=entry.model_version_policy,
        labels=dict(entry.version_labels),
    )
