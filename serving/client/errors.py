"""The one error family that leaves `serving`.

ServingError
├── InvalidRequest       the caller's arguments, refused before anything is sent
├── RequestRejected      INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE,
│                        ALREADY_EXISTS: the server refused what was asked
├── ModelNotFound        NOT_FOUND: no such model or version is ready
├── AccessDenied         UNAUTHENTICATED, PERMISSION_DENIED
├── ServerUnavailable    UNAVAILABLE: dead, starting or unreachable
├── ServerOverloaded     RESOURCE_EXHAUSTED: queue or message size is full
├── DeadlineExceeded     DEADLINE_EXCEEDED: no reply within `timeout_s`
├── CallCancelled        CANCELLED, ABORTED
├── ServerFailed         INTERNAL, UNKNOWN, DATA_LOSS, UNIMPLEMENTED
└── UnexpectedReply      a reply without the outputs that were asked for
"""

from __future__ import annotations

import re
from typing import Final

import grpc


class ServingError(Exception):
    """Anything that can go wrong with a call; the message is one sentence."""


class InvalidRequest(ServingError, ValueError):
    """The caller's arguments were refused before anything was sent."""


class RequestRejected(ServingError):
    """The server refused what was asked."""


class ModelNotFound(ServingError):
    """No such model or version is ready on the server."""


class AccessDenied(ServingError):
    """The server does not know the caller, or does not allow the call."""


class ServerUnavailable(ServingError):
    """The server is dead, starting or cannot be reached."""


class ServerOverloaded(ServingError):
    """A queue or a size limit is exhausted."""


class DeadlineExceeded(ServingError):
    """No reply arrived within `timeout_s`."""


class CallCancelled(ServingError):
    """The call was cancelled on the way."""


class ServerFailed(ServingError):
    """The server failed while it answered."""


class UnexpectedReply(ServingError):
    """The reply lacks an output: another kind of model answered."""


#: What TensorFlow writes around a sentence of the model's own.
_ASSERTED: Final = re.compile(r"assertion failed: \[(.*)\] \[\[.*\]\]$")

_BY_CODE: dict[grpc.StatusCode, type[ServingError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: RequestRejected,
    grpc.StatusCode.FAILED_PRECONDITION: RequestRejected,
    grpc.StatusCode.OUT_OF_RANGE: RequestRejected,
    grpc.StatusCode.ALREADY_EXISTS: RequestRejected,
    grpc.StatusCode.NOT_FOUND: ModelNotFound,
    grpc.StatusCode.UNAUTHENTICATED: AccessDenied,
    grpc.StatusCode.PERMISSION_DENIED: AccessDenied,
    grpc.StatusCode.UNAVAILABLE: ServerUnavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ServerOverloaded,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.CANCELLED: CallCancelled,
    grpc.StatusCode.ABORTED: CallCancelled,
    grpc.StatusCode.INTERNAL: ServerFailed,
    grpc.StatusCode.UNKNOWN: ServerFailed,
    grpc.StatusCode.DATA_LOSS: ServerFailed,
    grpc.StatusCode.UNIMPLEMENTED: ServerFailed,
}

_SENTENCES: dict[type[ServingError], str] = {
    RequestRejected: "The server at {target} refused the request: {details}",
    ModelNotFound: "The server at {target} has no such model ready: {details}",
    AccessDenied: "The server at {target} does not allow this call: {details}",
    ServerUnavailable: "No server answers at {target}: {details}",
    ServerOverloaded: "A limit is exhausted between here and {target}: {details}",
    DeadlineExceeded: "The server at {target} did not answer in time: {details}",
    CallCancelled: "The call to {target} was cancelled: {details}",
    ServerFailed: "The server at {target} failed: {details}",
}


def from_status(code: grpc.StatusCode, details: str, target: str) -> ServingError:
    """The error that stands for a gRPC status; the only place that knows both."""
    kind = _BY_CODE.get(code, ServerFailed)
    text = " ".join((details or code.name).split())
    if asserted := _ASSERTED.match(text):
        text = asserted[1]
    return kind(_SENTENCES[kind].format(target=target, details=text.rstrip(".")) + ".")
