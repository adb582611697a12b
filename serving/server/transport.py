"""The API over gRPC: bytes in, bytes out, one place for statuses."""

from __future__ import annotations

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
from serving.server.status import Code, StatusError
from serving.wire.services import METHODS, MODEL_SERVICE, PREDICTION_SERVICE

_MAX_MESSAGE: Final = 2**31 - 1


def grpc_server(
    api: Api, threads: int, arguments: Mapping[str, int | str], health: bool = False
) -> grpc.Server:
    """A gRPC server of the API, without addresses yet."""
    options = {
        "grpc.max_receive_message_length": _MAX_MESSAGE,
        "grpc.max_send_message_length": _MAX_MESSAGE,
        **arguments,
    }
    # protobuf only warns of a message that ends too early; TF Serving refuses it
    warnings.filterwarnings("error", "Unexpected end-group tag", RuntimeWarning)
    server = grpc.server(
        ThreadPoolExecutor(threads, thread_name_prefix="call"),
        options=list(options.items()),
    )
    known = [PREDICTION_SERVICE, MODEL_SERVICE, reflection.SERVICE_NAME]
    if health:
        servicer = Health(api.store)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        known.append("grpc.health.v1.Health")
    reflection.enable_server_reflection(known, server)
    server.add_generic_rpc_handlers((_Handlers(api),))  # the last resort
    return server


class _Handlers(grpc.GenericRpcHandler):
    """Answers the known paths; any other is UNIMPLEMENTED without a word."""

    def __init__(self, api: Api) -> None:
        self._known = {
            method.path: grpc.unary_unary_rpc_method_handler(
                _answer(name, method.request, api)
            )
            for name, method in METHODS.items()
        }
        self._unknown = grpc.unary_unary_rpc_method_handler(_unimplemented)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return self._known.get(details.method, self._unknown)


def _answer(
    name: str, request_type: Any, api: Api
) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def answer(content: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            request = request_type.FromString(content)
        except (DecodeError, SystemError):  # the latter is protobuf's failed warning
            context.abort(Code.INTERNAL, "")
        try:
            left = _seconds_left(context)
            reply = api.counted(name, request, left, by=(name, "GRPC"))
            return bytes(reply.SerializeToString())
        except StatusError as error:
            context.abort(error.code, error.wire_message)
            raise AssertionError("unreachable: abort raises") from error

    return answer


def _seconds_left(context: grpc.ServicerContext) -> float | None:
    """None without a deadline; gRPC's word for that is some 290 years."""
    left = context.time_remaining()
    return None if left is None or left > 1e9 else max(left, 0.0)


def _unimplemented(content: bytes, context: grpc.ServicerContext) -> None:
    context.abort(Code.UNIMPLEMENTED, "")
