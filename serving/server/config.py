"""Options and text-proto files into what the server is built of."""

from __future__ import annotations

import os
from pathlib import Path

from google.protobuf import text_format

from serving.protos import model_server_config_pb2
from serving.server.options import Options
from serving.server.status import Code, StatusError, invalid_argument
from serving.server.storage import ModelConfig

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
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StatusError(Code.NOT_FOUND, f"{path}; {error.strerror}") from None
    config = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(content, config)
    except text_format.ParseError:
        raise invalid_argument(f"Invalid protobuf file: '{path}'") from None
    return models_from(config)


def models_from(
    config: model_server_config_pb2.ModelServerConfig,
) -> list[ModelConfig]:
    """Checks a ModelServerConfig and takes its models."""
    return [_model_from(entry) for entry in config.model_config_list.config]


def threads_of(options: Options) -> tuple[int, int]:
    """Session threads inside an op and between ops."""
    both = options.tensorflow_session_parallelism
    return (
        both or options.tensorflow_intra_op_parallelism,
        both or options.tensorflow_inter_op_parallelism,
    )


def grpc_threads_of(options: Options) -> int:
    """Threads that answer calls."""
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
