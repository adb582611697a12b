"""The API over gRPC: bytes in, bytes out, one place for statuses."""

from __future__ import annotations

import math
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from serving.server.api import Api
from serving.server.health import Health
from serving.server.status import Code, StatusError, as_status
from serving.wire.services import METHODS, MODEL_SERVICE, PREDICTION_SERVICE

_TOLD_S: Final = 0.25
_QUIET_S: Final = 5.0  # without a call: nobody is waited for
_MAX_MESSAGE: Final = 2**31 - 1
_SPARE_THREADS: Final = 8  # refuse calls beyond the limit, and answer for health


def grpc_server(
    api: Api,
    threads: int,
    arguments: Mapping[str, int | str],
    health: Health | None,
    gate: Gate,
) -> grpc.Server:
    """A gRPC server of the API, without addresses yet.

    Args:
      api: answers.
      threads: calls at once; one beyond them is refused, as TF Serving does.
      arguments: of the channel.
      health: answers for the state; nobody does when None.
      gate: that replies go through.
    """
    options = {
        "grpc.max_receive_message_length": _MAX_MESSAGE,
        "grpc.max_send_message_length": _MAX_MESSAGE,
        "grpc.so_reuseport": 0,  # two servers of one port would share its callers
        **arguments,
    }
    # protobuf only warns of a message that ends too early; TF Serving refuses it
    warnings.filterwarnings("error", "Unexpected end-group tag", RuntimeWarning)
    server = grpc.server(
        ThreadPoolExecutor(threads + _SPARE_THREADS, thread_name_prefix="call"),
        options=list(options.items()),
    )
    known = [PREDICTION_SERVICE, MODEL_SERVICE, reflection.SERVICE_NAME]
    if health:
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
        known.append("grpc.health.v1.Health")
    reflection.enable_server_reflection(known, server)
    server.add_generic_rpc_handlers((_Handlers(api, threads, gate),))  # the last resort
    return server


class Gate:
    """Holds replies back while the channels are told that the server goes.

    gRPC cancels a call that comes between the order to stop and the client's knowing
    of it. A caller whose reply is held back makes none, and its reply comes after the
    word that ends the channel.
    """

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._last = -math.inf  # when a reply went through

    def pass_through(self) -> None:
        """Waits while the gate is shut, but not long."""
        self._last = time.monotonic()
        if not self._open.is_set():
            self._open.wait(4 * _TOLD_S)

    def stop(self, server: grpc.Server, grace_s: float) -> None:
        """Stops a server so that no call is cut; open ones have so many seconds."""
        self._open.clear()
        told_s = 0.0 if time.monotonic() - self._last > _QUIET_S else _TOLD_S
        time.sleep(told_s)  # calls come in, and their replies wait
        ended = server.stop(grace_s)
        time.sleep(told_s)  # the clients are told
        self._open.set()
        ended.wait()


_Answer = Callable[[bytes, grpc.ServicerContext], bytes]


class _Handlers(grpc.GenericRpcHandler):
    """Answers the known paths; any other is UNIMPLEMENTED without a word."""

    def __init__(self, api: Api, limit: int, gate: Gate) -> None:
        slots = threading.BoundedSemaphore(limit)
        self._known = {
            method.path: grpc.unary_unary_rpc_method_handler(
                _limited(_answer(name, method.request, api), slots, gate)
            )
            for name, method in METHODS.items()
        }
        self._unknown = grpc.unary_unary_rpc_method_handler(_unimplemented)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return self._known.get(details.method, self._unknown)


def _limited(answer: _Answer, slots: threading.BoundedSemaphore, gate: Gate) -> _Answer:
    """As `answer`; refuses a call while too many are in progress."""

    def limited(content: bytes, context: grpc.ServicerContext) -> bytes:
        if not slots.acquire(blocking=False):
            context.abort(Code.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")
        try:
            return answer(content, context)
        finally:
            slots.release()
            gate.pass_through()

    return limited


def _answer(name: str, request_type: Any, api: Api) -> _Answer:
    def answer(content: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            request = request_type.FromString(content)
        except (DecodeError, SystemError):  # the latter is protobuf's failed warning
            context.abort(Code.INTERNAL, "")
        try:
            left = _seconds_left(context)
            reply = api.counted(name, request, left, by=(name, "GRPC"))
            return bytes(reply.SerializeToString())
        except Exception as error:
            _abort(context, as_status(error, name))
            raise AssertionError("unreachable: abort raises") from error

    return answer


def _abort(context: grpc.ServicerContext, status: StatusError) -> None:
    """Ends the call; no frame keeps the error, which would keep the stream open."""
    context.abort(status.code, status.wire_message)


def _seconds_left(context: grpc.ServicerContext) -> float | None:
    """None without a deadline; gRPC's word for that is some 290 years."""
    left = context.time_remaining()
    return None if left is None or left > 1e9 else max(left, 0.0)


def _unimplemented(content: bytes, context: grpc.ServicerContext) -> None:
    context.abort(Code.UNIMPLEMENTED, "")
