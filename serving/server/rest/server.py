"""REST and metrics over HTTP: starlette answers, uvicorn listens."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import io
import json
import math
import socket
import threading
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from serving.server.addresses import listener
from serving.server.rest.calls import RestCalls
from serving.server.status import Code, StatusError, as_status, invalid_argument

_HTTP: Final = {
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.OUT_OF_RANGE: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INTERNAL: 500,
    Code.DATA_LOSS: 500,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}
_TOO_LARGE: Final = 413
_CLOSED_S: Final = 10.0  # after the calls, for the rest of the stop
_TOLD_S: Final = 0.25  # callers learn that their connection ends
_METHODS: Final = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]

Metrics = tuple[str, Callable[[], bytes]]  # path, text


class _TooLarge(Exception):
    """A body beyond the limit."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a call may take.

    Args:
      body_bytes: of a body, as sent and inflated.
      timeout_s: for a body to come.
      drain_s: for open calls when the server stops.
    """

    body_bytes: int = 2**24
    timeout_s: float = 30.0
    drain_s: float = 30.0

    def check(self, size: int) -> None:
        """Refuses a body of more bytes."""
        if size > self.body_bytes:
            raise _TooLarge(
                f"The body should have at most {self.body_bytes} bytes; send fewer "
                "rows, or start the server with a larger --rest_api_max_body_bytes."
            )


class _Draining(uvicorn.Server):
    """Tells the callers of kept connections before it closes them."""

    last_words: Mapping[str, str] = {}

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        self.last_words = {"Connection": "close"}
        await asyncio.sleep(_TOLD_S)
        await super().shutdown(sockets)


class RestServer:
    """Listens in a thread of its own until stopped."""

    def __init__(
        self,
        calls: RestCalls,
        address: tuple[str, int],
        metrics: Metrics | None = None,
        cors: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self._calls = calls
        self._limits = limits or Limits()
        self._metrics = metrics
        self._cors = _CORS if cors else {}
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])
        self._socket = listener(*address)
        # What it accepts inherits this; else a kept connection waits 40 ms a call for
        # an acknowledgement between the head and the body of the reply.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            app,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=math.ceil(self._limits.drain_s),
        )
        self._server = _Draining(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="rest", daemon=True
        )
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Takes no more connections; open calls end."""
        self._server.should_exit = True

    def stop(self) -> None:
        """Lets open calls end, then closes."""
        self.ask_to_stop()
        self._thread.join(self._limits.drain_s + _CLOSED_S)
        self._socket.close()

    async def _answer(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1").split("?")[0]
        if request.scope["query_string"]:
            path += "?" + request.scope["query_string"].decode("latin-1")
        if self._metrics and path == self._metrics[0]:
            return Response(self._metrics[1](), media_type="text/plain")
        if request.method == "OPTIONS":
            origin = request.headers.get("origin", "")
            known = origin.startswith(("http://", "https://"))
            return Response(status_code=200 if known else 400, headers=self._cors)
        if not path.lower().startswith("/v1/"):
            return Response("<h1>Not Found</h1>", 404, media_type="text/html")
        try:
            reading = self._body(request)
            body = await asyncio.wait_for(reading, self._limits.timeout_s)
            code, text = await run_in_threadpool(
                self._call, request.method, path, body, request.headers
            )
        except ClientDisconnect:
            return Response(status_code=_HTTP[Code.CANCELLED])
        except asyncio.TimeoutError:
            late = StatusError(Code.DEADLINE_EXCEEDED, "The body did not come in time.")
            code, text = _refusal(late)
        except _TooLarge as error:
            code, text = _TOO_LARGE, _error_text(str(error))
        headers = {**self._cors, **self._server.last_words}
        return Response(text, code, headers=headers, media_type="application/json")

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            self._limits.check(len(body))
        return bytes(body)

    def _call(
        self, method: str, path: str, body: bytes, headers: Headers
    ) -> tuple[int, bytes]:
        try:
            if headers.get("content-encoding") == "gzip":
                body = _unzipped(body, self._limits)
            return 200, _encoded(self._calls.answer(method, path, body))
        except _TooLarge:
            raise
        except Exception as error:
            return _refusal(as_status(error, f"{method} {path}"))


def _refusal(status: StatusError) -> tuple[int, bytes]:
    return _HTTP.get(status.code, 500), _error_text(status.message)


def _error_text(message: str) -> bytes:
    return _encoded(json.dumps({"error": message}, indent=4, ensure_ascii=False))


def _encoded(text: str) -> bytes:
    """Bytes that were no UTF-8 come out as they went in."""
    return text.encode("utf-8", "surrogateescape")


def _unzipped(body: bytes, limits: Limits) -> bytes:
    """The body that was zipped; no more of it is inflated than the limit."""
    try:
        with gzip.open(io.BytesIO(body)) as file:
            inflated = file.read(limits.body_bytes + 1)
    except (OSError, EOFError, zlib.error):
        raise invalid_argument("Failed to uncompress the request body") from None
    limits.check(len(inflated))
    return inflated
