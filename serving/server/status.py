"""The one exception inside the server: a status code and a message for the caller."""

from __future__ import annotations

import logging
from typing import Any, Final

import grpc

Code = grpc.StatusCode

MAX_MESSAGE: Final = 1024
_LOG = logging.getLogger(__name__)
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


class StatusError(Exception):
    """Ends a call with a status; the message is TF Serving's, word for word."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message

    @property
    def wire_message(self) -> str:
        """The message as gRPC carries it: at most 1024 bytes and a mark."""
        content = self.message.encode()
        if len(content) <= MAX_MESSAGE:
            return self.message
        return content[:MAX_MESSAGE].decode(errors="ignore") + "...TRUNCATED"


def as_status(error: Exception, what: str) -> StatusError:
    """The boundary of the server: whatever escaped from its parts, as a status.

    Args:
      error: what was caught.
      what: failed; the log names it where nobody expected the error.
    """
    if isinstance(error, StatusError):
        return error
    _LOG.error("%s failed unexpectedly: %r", what, error, exc_info=error)
    return StatusError(Code.INTERNAL, f"{type(error).__name__}: {error}")


def invalid_argument(message: str) -> StatusError:
    """The most frequent status of all."""
    return StatusError(Code.INVALID_ARGUMENT, message)


def from_tensorflow(error: Any) -> StatusError:
    """The status of a `tf.errors.OpError`; codes are gRPC's already."""
    return StatusError(_CODES.get(error.error_code, Code.UNKNOWN), error.message)
