"""Every call the server knows, free of transport: a message in, a message out."""

from __future__ import annotations

from typing import Any

from serving.protos import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)
from serving.server import metadata, predict
from serving.server.options import Options
from serving.server.status import invalid_argument
from serving.server.store import ModelStore

Timeout = float | None


class Api:
    """The two services over one model store.

    Each method takes the request and the seconds left, and answers with the reply or
    raises StatusError.
    """

    def __init__(self, store: ModelStore, options: Options) -> None:
        self.store = store
        self.options = options

    def predict(
        self, request: predict_pb2.PredictRequest, timeout_s: Timeout
    ) -> predict_pb2.PredictResponse:
        """PredictionService.Predict."""
        _require_spec(request)
        with self.store.use(request.model_spec) as servable:
            return predict.predict(
                request,
                servable,
                timeout_s=timeout_s,
                check_method=self.options.enable_signature_method_name_check,
            )

    def get_model_metadata(
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        timeout_s: Timeout,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """PredictionService.GetModelMetadata."""
        metadata.check_metadata_request(request)
        with self.store.use(request.model_spec) as servable:
            return metadata.model_metadata(servable)

    def get_model_status(
        self,
        request: get_model_status_pb2.GetModelStatusRequest,
        timeout_s: Timeout,
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """ModelService.GetModelStatus."""
        return metadata.model_status(request, self.store)


def _require_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
