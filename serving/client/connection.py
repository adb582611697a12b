"""What both clients share: settings, channel, stubs, and when to try again."""

from __future__ import annotations

import abc
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import grpc

from serving.client import arguments
from serving.client.encoder import Row
from serving.client.errors import (
    InvalidRequest,
    ServerUnavailable,
    ServingError,
    from_status,
)
from serving.client.records import Tls
from serving.wire.protos import get_model_status_pb2, predict_pb2
from uvcan_tf.features import USER_ID
from uvcan_tf.hashed_ids import ConfigError, checked_key, hashed

PREDICT: Final = "/tensorflow.serving.PredictionService/Predict"
GET_MODEL_STATUS: Final = "/tensorflow.serving.ModelService/GetModelStatus"
CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.lb_policy_name", "round_robin"),  # gRPC's own choice is the first address
)
#: UNAVAILABLE: no server, or one that is going. CANCELLED: what a gRPC server in Python
#: answers to a call that reaches it while it stops. RESOURCE_EXHAUSTED: TensorFlow
#: Serving refuses a call at once when all of its threads are busy.
RETRIED: Final = ("UNAVAILABLE", "CANCELLED", "RESOURCE_EXHAUSTED")
_BUFFER_BYTES: Final = 2**30  # a larger request is not sent again; gRPC's own: 2**18


def require_server(channel: grpc.Channel, target: str, timeout_s: float = 5.0) -> None:
    """Raises `ServerUnavailable` unless something accepts connections."""
    try:
        grpc.channel_ready_future(channel).result(timeout_s)
    except grpc.FutureTimeoutError:
        raise ServerUnavailable(f"No server answers at {target}.") from None


class Connection(abc.ABC):
    """A channel with the settings of its calls.

    Args:
      target: `host:port`, or any other gRPC target; calls take turns where it has
        several addresses.
      model_name: the name under which the server knows the model.
      timeout_s: deadline of a call, retries and their pauses included.
      retries: further attempts, 0 to 4, while the server is UNAVAILABLE, stops
        (CANCELLED) or has no thread left (RESOURCE_EXHAUSTED); no other failure is
        ever tried again.
      tls: certificates; None talks in the clear.
      compression: gzip requests and ask for gzipped replies.
      id_key: of a model whose tables hold hashed user ids: the key they were hashed
        with. It is never sent.
    """

    def __init__(
        self,
        target: str,
        *,
        model_name: str = "uvcan",
        timeout_s: float = 5.0,
        retries: int = 3,
        tls: Tls | None = None,
        compression: bool = False,
        id_key: bytes | None = None,
    ) -> None:
        self.target = arguments.text("target", target)
        self.model_name = arguments.text("model_name", model_name)
        self.timeout_s = arguments.seconds("timeout_s", timeout_s)
        self.retries = arguments.retries(retries)
        self._id_key = None if id_key is None else _checked(id_key)
        self._channel = self._open(tls, grpc.Compression.Gzip if compression else None)
        self._predict = self._channel.unary_unary(
            PREDICT,
            predict_pb2.PredictRequest.SerializeToString,
            predict_pb2.PredictResponse.FromString,
        )
        self._get_status = self._channel.unary_unary(
            GET_MODEL_STATUS,
            get_model_status_pb2.GetModelStatusRequest.SerializeToString,
            get_model_status_pb2.GetModelStatusResponse.FromString,
        )

    @abc.abstractmethod
    def _open(self, tls: Tls | None, compression: grpc.Compression | None) -> Any:
        """The channel."""

    def _named(self, user_id: str) -> str:
        """The user's name in the model."""
        user_id = arguments.text(USER_ID, user_id)
        return hashed(user_id, self._id_key) if self._id_key else user_id

    def _named_in(self, rows: Iterable[Row]) -> Iterable[Row]:
        """The rows with the users' names in the model."""
        one = isinstance(rows, (str, bytes, Mapping))
        if self._id_key is None or one or not isinstance(rows, Iterable):
            return rows
        return [
            {**row, USER_ID: self._named(row[USER_ID])}
            if isinstance(row, Mapping) and row.get(USER_ID) is not None
            else row
            for row in rows
        ]

    def _failure(self, error: Any) -> ServingError:
        """The error of the family for gRPC's."""
        details = error.details() or ""
        proxy = _proxy(self.target)
        if proxy and error.code() is grpc.StatusCode.UNAVAILABLE:
            details = f"{details.rstrip('.')}, asked through the proxy of ${proxy}"
        return from_status(error.code(), details, self.target)


def _checked(key: bytes) -> bytes:
    try:
        return checked_key(key)
    except ConfigError as error:
        raise InvalidRequest(str(error)) from None


def open_channel(
    target: str,
    tls: Tls | None = None,
    compression: grpc.Compression | None = None,
    retries: int = 0,
    kind: Any = grpc,
) -> Any:
    """A channel for large messages; `kind` is `grpc` or `grpc.aio`."""
    options = (*CHANNEL_OPTIONS, *_retried(retries))
    if _is_loopback(target):
        options += (("grpc.enable_http_proxy", 0),)
    if tls is None:
        return kind.insecure_channel(target, options, compression)
    credentials = grpc.ssl_channel_credentials(tls.roots, tls.key, tls.certificate)
    return kind.secure_channel(target, credentials, options, compression)


def _retried(retries: int) -> tuple[tuple[str, Any], ...]:
    """Channel options: gRPC itself makes the further attempts, with random pauses."""
    if not retries:
        return ()  # gRPC still sends again what no server has seen
    policy = {
        "maxAttempts": retries + 1,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": RETRIED,
    }
    config = {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
    return (
        ("grpc.service_config", json.dumps(config)),
        ("grpc.per_rpc_retry_buffer_size", _BUFFER_BYTES),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2000),
    )


def _host(target: str) -> str:
    """The host of a gRPC target, whatever scheme, authority and port surround it.

    >>> [_host(t) for t in ("h:1", "dns://8.8.8.8/h:1", "ipv4:127.0.0.1:1", "[::1]:1")]
    ['h', 'h', '127.0.0.1', '::1']
    """
    bare = re.sub(r"^(?:dns|ipv4|ipv6):(?://[^/]*/)?", "", target)
    found = re.match(r"\[([^]]*)\]|([^:,]*)(?::\d+)?(?:,|$)|(.*)", bare)
    return next(filter(None, found.groups()), "") if found else ""


def _is_loopback(target: str) -> bool:
    host = _host(target)
    return host in ("localhost", "::1") or bool(re.fullmatch(r"127(\.\d+){3}", host))


def _proxy(target: str) -> str | None:
    """The environment variable that names the proxy which gRPC asks, if any."""
    if _is_loopback(target) or target.startswith("unix:"):
        return None
    passed = os.environ.get("no_grpc_proxy") or os.environ.get("no_proxy") or ""
    endings = tuple(filter(None, (part.strip() for part in passed.split(","))))
    if _host(target).endswith(endings):
        return None
    names = ("grpc_proxy", "https_proxy", "http_proxy")
    return next((name for name in names if os.environ.get(name)), None)
