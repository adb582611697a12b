"""A typed client of the exported model, for TF Serving and the embedded server alike.

It does not start TensorFlow, so that a short-lived process can afford it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Final

import grpc

from serving import calls
from serving.encoder import Row
from serving.errors import InvalidRequest, ServerUnavailable, from_status
from serving.protos import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)
from serving.records import Explanation, Scored, Tls, VersionStatus
from uvcan_tf.features import PAPER, Features

CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
)
FIRST_PAUSE_S: Final = 0.05  # before the first retry; doubles from there


class RecommenderClient:
    """Ranks, recommends and explains over gRPC.

    Args:
      target: `host:port`, or any other gRPC target.
      model_name: the name under which the server knows the model.
      timeout_s: deadline of a call, retries and their pauses included.
      retries: further attempts while the server is UNAVAILABLE; no other failure is
        ever tried again.
      tls: certificates; None talks in the clear.
      compression: gzip requests and ask for gzipped replies.

    Example:
      with RecommenderClient("localhost:8500") as client:
          for video in client.recommend("u1", k=10):
              print(video.video_id, video.score)
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
        gzip = grpc.Compression.Gzip if compression else None
        self._channel = (
            grpc.insecure_channel(target, CHANNEL_OPTIONS, gzip)
            if tls is None
            else grpc.secure_channel(target, credentials(tls), CHANNEL_OPTIONS, gzip)
        )
        predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self._predict = predictions.Predict
        self._get_status = models.GetModelStatus

    def __enter__(self) -> RecommenderClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the channel; calls after it fail."""
        self._channel.close()

    def rank(self, user_id: str, video_ids: Sequence[str]) -> list[Scored]:
        """Scores the given videos, in the order given."""
        if not video_ids:
            return []
        request = calls.rank_request(self.model_name, user_id, video_ids)
        return calls.ranked(self._call(self._predict, request), video_ids)

    def recommend(
        self, user_id: str, k: int = 10, exclude: Iterable[str] = ()
    ) -> list[Scored]:
        """The user's k best videos, best first, without those already liked."""
        request = calls.recommend_request(self.model_name, user_id, k, exclude)
        return calls.recommended(self._call(self._predict, request))

    def explain(self, user_id: str, video_id: str) -> Explanation:
        """The attention behind one score."""
        request = calls.explain_request(self.model_name, user_id, video_id)
        return calls.explained(self._call(self._predict, request), user_id, video_id)

    def score(self, rows: Iterable[Row], features: Features = PAPER) -> list[float]:
        """Scores raw rows of user and video features, in the order given."""
        request = calls.score_request(self.model_name, rows, features)
        return calls.scores(self._call(self._predict, request))

    def status(self) -> list[VersionStatus]:
        """The versions of the model that the server knows, newest first."""
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = self.model_name
        return calls.statuses(self._call(self._get_status, request))

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        ends = time.monotonic() + self.timeout_s
        for attempt in range(self.retries + 1):
            try:
                return method(request, timeout=max(ends - time.monotonic(), 0))
            except grpc.RpcError as error:
                failure = from_status(error.code(), error.details(), self.target)
                pause = FIRST_PAUSE_S * 2**attempt
                if not isinstance(failure, ServerUnavailable):
                    raise failure from error
                if attempt == self.retries or time.monotonic() + pause >= ends:
                    raise failure from error
            except ValueError as error:  # gRPC's word for a closed channel
                raise InvalidRequest("The client is closed.") from error
            time.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")


def credentials(tls: Tls) -> grpc.ChannelCredentials:
    """What gRPC wants of the certificates."""
    return grpc.ssl_channel_credentials(tls.roots, tls.key, tls.certificate)
