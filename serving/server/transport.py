"""The API over gRPC: bytes in, bytes out, one place for statuses."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from serving.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)
from serving.server.api import Api
from serving.server.health import Health
from serving.server.metrics import Metrics
from serving.server.status import Code, StatusError

Method = tuple[Any, Callable[[Any, float | None], Any]]

PREDICTION: Final = "/tensorflow.serving.PredictionService"
MODEL: Final = "/tensorflow.serving.ModelService"
COUNTED: Final = ("Predict", "Classify", "Regress", "MultiInference")
_MAX_MESSAGE: Final = 2**31 - 1


def methods(api: Api) -> Mapping[str, Method]:
    """Request type and implementation of every path."""
    return {
        f"{PREDICTION}/Predict": (predict_pb2.PredictRequest, api.predict),
        f"{PREDICTION}/Classify": (
            classification_pb2.ClassificationRequest,
            api.classify,
        ),
        f"{PREDICTION}/Regress": (regression_pb2.RegressionRequest, api.regress),
        f"{PREDICTION}/MultiInference": (
            inference_pb2.MultiInferenceRequest,
            api.multi_inference,
        ),
        f"{PREDICTION}/GetModelMetadata": (
            get_model_metadata_pb2.GetModelMetadataRequest,
            api.get_model_metadata,
        ),
        f"{MODEL}/GetModelStatus": (
            get_model_status_pb2.GetModelStatusRequest,
            api.get_model_status,
        ),
        f"{MODEL}/HandleReloadConfigRequest": (
            model_management_pb2.ReloadConfigRequest,
            api.handle_reload_config,
        ),
    }


def grpc_server(
    api: Api, threads: int, arguments: Mapping[str, int | str], health: bool = False
) -> grpc.Server:
    """A gRPC server of the API, without addresses yet."""
    options = {
        "grpc.max_receive_message_length": _MAX_MESSAGE,
        "grpc.max_send_message_length": _MAX_MESSAGE,
        **arguments,
    }
    server = grpc.server(
        ThreadPoolExecutor(threads, thread_name_prefix="call"),
        options=list(options.items()),
    )
    services = [PREDICTION[1:], MODEL[1:], reflection.SERVICE_NAME]
    if health:
        servicer = Health(api.store)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        services.append("grpc.health.v1.Health")
    reflection.enable_server_reflection(services, server)
    server.add_generic_rpc_handlers(
        (_Handlers(methods(api), api.metrics),)
    )  # the last resort
    return server


class _Handlers(grpc.GenericRpcHandler):
    """Answers the known paths; any other is UNIMPLEMENTED without a word."""

    def __init__(self, known: Mapping[str, Method], metrics: Metrics) -> None:
        self._known = {
            path: grpc.unary_unary_rpc_method_handler(
                _answer(path.rpartition("/")[2], *method, metrics)
            )
            for path, method in known.items()
        }
        self._unknown = grpc.unary_unary_rpc_method_handler(_unimplemented)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return self._known.get(details.method, self._unknown)


def _answer(
    call: str,
    request_type: Any,
    implementation: Callable[[Any, float | None], Any],
    metrics: Metrics,
) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def answer(content: bytes, context: grpc.ServicerContext) -> bytes:
        begun = time.perf_counter()
        try:
            request = request_type.FromString(content)
        except DecodeError:
            context.abort(Code.INTERNAL, "")
        status = Code.OK
        try:
            reply = implementation(request, _seconds_left(context))
            return bytes(reply.SerializeToString())
        except StatusError as error:
            status = error.code
            context.abort(error.code, error.wire_message)
            raise AssertionError("unreachable: abort raises") from error
        finally:
            if call in COUNTED:
                took = time.perf_counter() - begun
                metrics.record(model_name(request), call, "GRPC", status.name, took)

    return answer


def model_name(request: Any) -> str:
    """The model that a request asks for; MultiInference says it in its first task."""
    asked = request
    if not hasattr(request, "model_spec"):
        asked = request.tasks[0] if request.tasks else None
    return str(asked.model_spec.name) if asked is not None else ""


def _seconds_left(context: grpc.ServicerContext) -> float | None:
    """None without a deadline; gRPC's word for that is some 290 years."""
    left = context.time_remaining()
    return None if left is None or left > 1e9 else max(left, 0.0)


def _unimplemented(content: bytes, context: grpc.ServicerContext) -> None:
    context.abort(Code.UNIMPLEMENTED, "")
