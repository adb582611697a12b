"""The text-proto files for which no generated code is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, text_format

from serving.server.status import Code, StatusError, invalid_argument
from uvcan_tf.compat import message_class

_Field: Final = descriptor_pb2.FieldDescriptorProto
_MESSAGES: Final = {
    "SSLConfig": (
        ("server_key", _Field.TYPE_STRING),
        ("server_cert", _Field.TYPE_STRING),
        ("custom_ca", _Field.TYPE_STRING),
        ("client_verify", _Field.TYPE_BOOL),
    ),
    "PrometheusConfig": (("enable", _Field.TYPE_BOOL), ("path", _Field.TYPE_STRING)),
    "MonitoringConfig": (("prometheus_config", ".serving.PrometheusConfig"),),
    "Int": (("value", _Field.TYPE_INT64),),  # texts do not tell wrappers apart
    "Bool": (("value", _Field.TYPE_BOOL),),
    "String": (("value", _Field.TYPE_STRING),),
    "BatchingParameters": (
        ("max_batch_size", ".serving.Int"),
        ("batch_timeout_micros", ".serving.Int"),
        ("max_enqueued_batches", ".serving.Int"),
        ("num_batch_threads", ".serving.Int"),
        ("thread_pool_name", ".serving.String"),
        ("allowed_batch_sizes", _Field.TYPE_INT64),
        ("pad_variable_length_inputs", _Field.TYPE_BOOL),
        ("enable_large_batch_splitting", ".serving.Bool"),
        ("max_execution_batch_size", ".serving.Int"),
    ),
}
_REPEATED: Final = ("allowed_batch_sizes",)


def read_ssl(path: Path) -> Any:
    """Reads an SSLConfig: keys and certificates are PEM text, not paths."""
    return read_text(path, _new("SSLConfig"))


def read_monitoring(path: Path) -> Any:
    """Reads a MonitoringConfig."""
    return read_text(path, _new("MonitoringConfig"))


def read_batching(path: Path) -> Any:
    """Reads a BatchingParameters."""
    return read_text(path, _new("BatchingParameters"))


def read_text(path: Path, message: Any) -> Any:
    """Reads a text proto into a message.

    Raises:
      StatusError: the file cannot be read or parsed.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StatusError(Code.NOT_FOUND, f"{path}; {error.strerror}") from None
    except UnicodeDecodeError:
        raise invalid_argument(f"Invalid protobuf file: '{path}'") from None
    try:
        return text_format.Parse(content, message)
    except text_format.ParseError:
        raise invalid_argument(f"Invalid protobuf file: '{path}'") from None


def _new(name: str) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="serving_files.proto", package="serving", syntax="proto3"
    )
    for message, fields in _MESSAGES.items():
        declared = file.message_type.add(name=message)
        for number, (field, kind) in enumerate(fields, start=1):
            label = _Field.LABEL_OPTIONAL
            if field in _REPEATED:
                label = _Field.LABEL_REPEATED
            added = declared.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = _Field.TYPE_MESSAGE, kind
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"serving.{name}")
    return message_class(found)()
