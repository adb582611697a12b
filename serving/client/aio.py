"""The asyncio twin of the client: the same calls, records and errors, awaited."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc

from serving.client import arguments, calls
from serving.client.arguments import Attributes
from serving.client.connection import Connection, open_channel
from serving.client.encoder import Row
from serving.client.errors import InvalidRequest
from serving.client.records import Explanation, Scored, Tls, VersionStatus
from serving.wire.protos import get_model_status_pb2
from uvcan_tf.features import CANDIDATE_VIDEO_IDS, PAPER, VIDEO_IDS, Features


class AsyncRecommenderClient(
    Connection, AbstractAsyncContextManager["AsyncRecommenderClient"]
):
    """Ranks, recommends and explains over gRPC, without blocking the event loop.

    Args: those of `serving.client.connection.Connection`.

    Example:
      async with AsyncRecommenderClient("localhost:8500") as client:
          print(await client.recommend("u1", k=10))
    """

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the channel; calls after it fail."""
        await self._channel.close()

    async def rank(
        self,
        user_id: str,
        video_ids: Iterable[str],
        attributes: Attributes | None = None,
        liked: Iterable[str] = (),
        skipped: Iterable[str] = (),
    ) -> list[Scored]:
        """Scores the given videos, in the order given.

        Attributes speak for a user whom the model does not know. Liked videos count
        beside those that the model has seen, for anybody, if it has a history; skipped
        ones of whom it knows no like, if its prior knows impressions.
        """
        video_ids = arguments.texts(VIDEO_IDS, video_ids)
        if not video_ids:
            return []
        request = calls.rank_request(
            self.model_name, self._named(user_id), video_ids, attributes, liked, skipped
        )
        return calls.ranked(await self._call(self._predict, request), video_ids)

    async def recommend(
        self,
        user_id: str,
        k: int = 10,
        exclude: Iterable[str] = (),
        candidates: Iterable[str] | None = None,
        attributes: Attributes | None = None,
        liked: Iterable[str] = (),
        skipped: Iterable[str] = (),
    ) -> list[Scored]:
        """The user's k best videos, best first, without those already liked.

        Out of the whole catalogue, or of the candidates where there are any given.
        Attributes speak for a user whom the model does not know. Liked and skipped
        videos count as in `rank`; liked ones are not recommended, nor skipped ones
        where the model leaves these out.
        """
        listed = candidates
        if candidates is not None:
            listed = arguments.texts(CANDIDATE_VIDEO_IDS, candidates)
        request = calls.recommend_request(
            self.model_name,
            self._named(user_id),
            k,
            exclude,
            listed,
            attributes,
            liked,
            skipped,
        )
        if listed == []:
            return []
        return calls.recommended(await self._call(self._predict, request))

    async def explain(
        self,
        user_id: str,
        video_id: str,
        liked: Iterable[str] = (),
        skipped: Iterable[str] = (),
    ) -> Explanation:
        """The attention behind one score; liked and skipped count as in `rank`."""
        request = calls.explain_request(
            self.model_name, self._named(user_id), video_id, liked, skipped
        )
        reply = await self._call(self._predict, request)
        return calls.explained(reply, user_id, video_id)

    async def score(
        self, rows: Iterable[Row], features: Features = PAPER
    ) -> list[float]:
        """Scores raw rows of user and video features, in the order given."""
        request = calls.score_request(self.model_name, self._named_in(rows), features)
        return calls.scores(await self._call(self._predict, request))

    async def status(self) -> list[VersionStatus]:
        """The versions of the model that the server knows, newest first."""
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = self.model_name
        return calls.statuses(await self._call(self._get_status, request))

    def _open(self, tls: Tls | None, compression: grpc.Compression | None) -> Any:
        return open_channel(self.target, tls, compression, self.retries, grpc.aio)

    async def _call(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return await method(request, timeout=self.timeout_s)
        except grpc.aio.AioRpcError as error:
            raise self._failure(error) from error
        except grpc.aio.UsageError as error:  # a closed channel
            raise InvalidRequest("The client is closed.") from error
