"""REST and metrics over HTTP: starlette answers, uvicorn listens."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

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
_METHODS: Final = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]

Metrics = tuple[str, Callable[[], bytes]]  # path, text


class RestServer:
    """Listens in a thread of its own until stopped."""

    def __init__(
        self,
        calls: RestCalls,
        address: tuple[str, int],
        metrics: Metrics | None = None,
        cors: bool = False,
    ) -> None:
        self._calls = calls
        self._metrics = metrics
        self._cors = _CORS if cors else {}
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])
        self._socket = socket.create_server(address)
        # What it accepts inherits this; else a kept connection waits 40 ms a call for
        # an acknowledgement between the head and the body of the reply.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = int(self._socket.getsockname()[1])
        config = uvicorn.Config(app, log_level="warning", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="rest", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Lets open calls end, then closes."""
        self._server.should_exit = True
        self._thread.join()
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
        body = await request.body()
        code, text = await run_in_threadpool(
            self._call, request.method, path, body, request.headers
        )
        return Response(text, code, headers=self._cors, media_type="application/json")

    def _call(
        self, method: str, path: str, body: bytes, headers: Headers
    ) -> tuple[int, bytes]:
        try:
            if headers.get("content-encoding") == "gzip":
                body = _unzipped(body)
            return 200, _encoded(self._calls.answer(method, path, body))
        except Exception as error:
            return _refusal(as_status(error, f"{method} {path}"))


def _refusal(status: StatusError) -> tuple[int, bytes]:
    text = json.dumps({"error": status.message}, indent=4, ensure_ascii=False)
    return _HTTP.get(status.code, 500), _encoded(text)


def _encoded(text: str) -> bytes:
    """Bytes that were no UTF-8 come out as they went in."""
    return text.encode("utf-8", "surrogateescape")


def _unzipped(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        raise invalid_argument("Failed to uncompress the request body") from None
