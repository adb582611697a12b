"""Clients of a model server, and what they hand out.

The public names are imported when they are first asked for, and none of them starts
TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from serving.client.aio import AsyncRecommenderClient as AsyncRecommenderClient
    from serving.client.client import RecommenderClient as RecommenderClient
    from serving.client.errors import AccessDenied as AccessDenied
    from serving.client.errors import CallCancelled as CallCancelled
    from serving.client.errors import DeadlineExceeded as DeadlineExceeded
    from serving.client.errors import InvalidRequest as InvalidRequest
    from serving.client.errors import ModelNotFound as ModelNotFound
    from serving.client.errors import RequestRejected as RequestRejected
    from serving.client.errors import ServerFailed as ServerFailed
    from serving.client.errors import ServerOverloaded as ServerOverloaded
    from serving.client.errors import ServerUnavailable as ServerUnavailable
    from serving.client.errors import ServingError as ServingError
    from serving.client.errors import UnexpectedReply as UnexpectedReply
    from serving.client.records import Attention as Attention
    from serving.client.records import Explanation as Explanation
    from serving.client.records import Scored as Scored
    from serving.client.records import Tls as Tls
    from serving.client.records import VersionStatus as VersionStatus

_ERRORS: Final = "serving.client.errors"
_RECORDS: Final = "serving.client.records"
_HOMES: Final = {
    "AccessDenied": _ERRORS,
    "AsyncRecommenderClient": "serving.client.aio",
    "Attention": _RECORDS,
    "CallCancelled": _ERRORS,
    "DeadlineExceeded": _ERRORS,
    "Explanation": _RECORDS,
    "InvalidRequest": _ERRORS,
    "ModelNotFound": _ERRORS,
    "RecommenderClient": "serving.client.client",
    "RequestRejected": _ERRORS,
    "Scored": _RECORDS,
    "ServerFailed": _ERRORS,
    "ServerOverloaded": _ERRORS,
    "ServerUnavailable": _ERRORS,
    "ServingError": _ERRORS,
    "Tls": _RECORDS,
    "UnexpectedReply": _ERRORS,
    "VersionStatus": _RECORDS,
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'serving.client' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
