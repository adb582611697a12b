"""Every call the server knows, free of transport: a message in, a message out."""

from __future__ import annotations

from typing import Any

from serving.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)
from serving.server import inference, metadata, predict
from serving.server.metrics import Metrics
from serving.server.options import Options
from serving.server.reload import reload_config
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
        self.metrics = Metrics()
        self._check_method = options.enable_signature_method_name_check

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
                check_method=self._check_method,
            )

    def classify(
        self, request: classification_pb2.ClassificationRequest, timeout_s: Timeout
    ) -> classification_pb2.ClassificationResponse:
        """PredictionService.Classify."""
        _require_spec(request)
        with self.store.use(request.model_spec) as servable:
            return inference.classify(request, servable, timeout_s, self._check_method)

    def regress(
        self, request: regression_pb2.RegressionRequest, timeout_s: Timeout
    ) -> regression_pb2.RegressionResponse:
        """PredictionService.Regress."""
        _require_spec(request)
        with self.store.use(request.model_spec) as servable:
            return inference.regress(request, servable, timeout_s, self._check_method)

    def multi_inference(
        self, request: inference_pb2.MultiInferenceRequest, timeout_s: Timeout
    ) -> inference_pb2.MultiInferenceResponse:
        """PredictionService.MultiInference."""
        tasks = request.tasks
        spec = tasks[0].model_spec if tasks else model_pb2.ModelSpec()
        with self.store.use(spec) as servable:
            return inference.multi_inference(request, servable, timeout_s)

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

    def handle_reload_config(
        self, request: model_management_pb2.ReloadConfigRequest, timeout_s: Timeout
    ) -> model_management_pb2.ReloadConfigResponse:
        """ModelService.HandleReloadConfigRequest."""
        return reload_config(request, self.store, timeout_s)


def _require_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
