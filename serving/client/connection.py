"""What both clients share: settings, channel, stubs, and when to try again."""

from __future__ import annotations

import abc
import time
from typing import Any, Final

import grpc

from serving.client.errors import InvalidRequest, ServerUnavailable, from_status
from serving.client.records import Tls
from serving.wire.protos import get_model_status_pb2, predict_pb2

PREDICT: Final = "/tensorflow.serving.PredictionService/Predict"
GET_MODEL_STATUS: Final = "/tensorflow.serving.ModelService/GetModelStatus"
CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
)
FIRST_PAUSE_S: Final = 0.05  # before the first retry; doubles from there


def require_server(channel: grpc.Channel, target: str, timeout_s: float = 5.0) -> None:
    """Raises `ServerUnavailable` unless something accepts connections."""
    try:
        grpc.channel_ready_future(channel).result(timeout_s)
    except grpc.FutureTimeoutError:
        raise ServerUnavailable(f"No server answers at {target}.") from None


class Connection(abc.ABC):
    """A channel with the settings of its calls.

    Args:
      target: `host:port`, or any other gRPC target.
      model_name: the name under which the server knows the model.
      timeout_s: deadline of a call, retries and their pauses included.
      retries: further attempts while the server is UNAVAILABLE; no other failure is
        ever tried again.
      tls: certificates; None talks in the clear.
      compression: gzip requests and ask for gzipped replies.
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
    ) -> None:
        if not timeout_s > 0:
            raise InvalidRequest(
                f"`timeout_s` should be positive. Received: timeout_s={timeout_s!r}."
            )
        self.target = target
        self.model_name = model_name
        self.timeout_s = timeout_s
        self.retries = retries
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

    def _pause_after(self, error: Any, attempt: int, ends: float) -> float:
        """Seconds to wait before the next attempt.

        Raises:
          ServingError: there should be none.
        """
        failure = from_status(error.code(), error.details(), self.target)
        pause: float = FIRST_PAUSE_S * 2**attempt
        last = attempt == self.retries or time.monotonic() + pause >= ends
        if last or not isinstance(failure, ServerUnavailable):
            raise failure from error
        return pause


def open_channel(
    target: str,
    tls: Tls | None = None,
    compression: grpc.Compression | None = None,
    kind: Any = grpc,
) -> Any:
    """A channel for large messages; `kind` is `grpc` or `grpc.aio`."""
    if tls is None:
        return kind.insecure_channel(target, CHANNEL_OPTIONS, compression)
    credentials = grpc.ssl_channel_credentials(tls.roots, tls.key, tls.certificate)
    return kind.secure_channel(target, credentials, CHANNEL_OPTIONS, compression)
