"""The text-proto files for which no generated code is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format

from serving.server import files_pb2
from serving.server.status import Code, StatusError, invalid_argument


def read_ssl(path: Path) -> Any:
    """Reads an SSLConfig: keys and certificates are PEM text, not paths."""
    return read_text(path, files_pb2.SSLConfig())


def read_monitoring(path: Path) -> Any:
    """Reads a MonitoringConfig."""
    return read_text(path, files_pb2.MonitoringConfig())


def read_batching(path: Path) -> Any:
    """Reads a BatchingParameters."""
    return read_text(path, files_pb2.BatchingParameters())


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
