"""REST and metrics over HTTP: starlette answers, uvicorn listens."""

from __future__ import annotations

import asyncio
import json
import math
import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from serving.server.addresses import listener
from serving.server.api import Api
from serving.server.memory import give_back
from serving.server.rest.calls import RestCalls
from serving.server.rest.limits import Limits, TooLarge
from serving.server.rest.protocol import patient_protocol
from serving.server.status import Code, StatusError, as_status

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
_LARGE_BYTES: Final = 2**20  # a body whose memory goes back to the machine
_CLOSED_S: Final = 10.0  # after the calls, for the rest of the stop
_TOLD_S: Final = 0.25  # callers learn that their connection ends
_METHODS: Final = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]

Metrics = tuple[str, Callable[[], bytes]]  # path, text
_T = TypeVar("_T")


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
        api: Api,
        address: tuple[str, int],
        metrics: Metrics | None = None,
        cors: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self._api = api
        self._limits = limits or Limits()
        self._metrics = metrics
        self._cors = _CORS if cors else {}
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])
        self._socket = listener(*address)
        # What it accepts inherits this; else a kept connection waits 40 ms a call for
        # an acknowledgement between the head and the body of the reply.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = int(self._socket.getsockname()[1])
        # As many as TF Serving has. A call that waits for one when its time is over
        # is never begun.
        self._pool = ThreadPoolExecutor(4 * (os.cpu_count() or 1), "rest")
        config = uvicorn.Config(
            app,
            http=patient_protocol(self._limits.timeout_s),
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
        self._pool.shutdown(wait=False)
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
        headers = {**self._cors, **self._server.last_words}
        try:
            code, text = await self._in_time(request, path)
        except ClientDisconnect:
            return Response(status_code=_HTTP[Code.CANCELLED])
        except StatusError as late:
            code, text = _refusal(late)
            headers["Connection"] = "close"
        except TooLarge as error:
            code, text = _TOO_LARGE, _error_text(str(error))
        return Response(text, code, headers=headers, media_type="application/json")

    async def _in_time(self, request: Request, path: str) -> tuple[int, bytes]:
        """The reply; what was not ready in time is dropped when it is."""
        ends = time.monotonic() + self._limits.timeout_s
        body = await _until(ends, self._body(request), "The body did not come in time.")
        loop = asyncio.get_running_loop()
        replying = loop.run_in_executor(
            self._pool, self._call, request.method, path, body, request.headers, ends
        )
        return await _until(ends, replying, "Timed out waiting for notification")

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            self._limits.check_size(len(body))
        return bytes(body)

    def _call(
        self, method: str, path: str, body: bytes, headers: Headers, ends: float
    ) -> tuple[int, bytes]:
        try:
            if headers.get("content-encoding") == "gzip":
                body = self._limits.unzipped(body)
            self._limits.check_json(body)
            calls = RestCalls(self._api, max(ends - time.monotonic(), 0.0))
            return 200, _encoded(calls.answer(method, path, body))
        except TooLarge:
            raise
        except Exception as error:
            return _refusal(as_status(error, f"{method} {path}"))
        finally:
            if len(body) > _LARGE_BYTES:
                give_back()


async def _until(ends: float, what: Awaitable[_T], late: str) -> _T:
    try:
        return await asyncio.wait_for(what, max(ends - time.monotonic(), 0.0))
    except asyncio.TimeoutError:
        raise StatusError(Code.DEADLINE_EXCEEDED, late) from None


def _refusal(status: StatusError) -> tuple[int, bytes]:
    return _HTTP.get(status.code, 500), _error_text(status.message)


def _error_text(message: str) -> bytes:
    return _encoded(json.dumps({"error": message}, indent=4, ensure_ascii=False))


def _encoded(text: str) -> bytes:
    """Bytes that were no UTF-8 come out as they went in."""
    return text.encode("utf-8", "surrogateescape")
