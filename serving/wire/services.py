"""The calls of TensorFlow Serving's two services: paths and message types."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from serving.wire.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

PREDICTION_SERVICE: Final = "tensorflow.serving.PredictionService"
MODEL_SERVICE: Final = "tensorflow.serving.ModelService"

PREDICT: Final = "Predict"
CLASSIFY: Final = "Classify"
REGRESS: Final = "Regress"
MULTI_INFERENCE: Final = "MultiInference"
GET_MODEL_METADATA: Final = "GetModelMetadata"
GET_MODEL_STATUS: Final = "GetModelStatus"
RELOAD_CONFIG: Final = "HandleReloadConfigRequest"
INFERENCES: Final = (PREDICT, CLASSIFY, REGRESS, MULTI_INFERENCE)


@dataclasses.dataclass(frozen=True)
class Method:
    """One call: the path on the wire, and its messages' types."""

    path: str
    request: Any
    reply: Any


METHODS: Final[Mapping[str, Method]] = {
    PREDICT: Method(
        f"/{PREDICTION_SERVICE}/{PREDICT}",
        predict_pb2.PredictRequest,
        predict_pb2.PredictResponse,
    ),
    CLASSIFY: Method(
        f"/{PREDICTION_SERVICE}/{CLASSIFY}",
        classification_pb2.ClassificationRequest,
        classification_pb2.ClassificationResponse,
    ),
    REGRESS: Method(
        f"/{PREDICTION_SERVICE}/{REGRESS}",
        regression_pb2.RegressionRequest,
        regression_pb2.RegressionResponse,
    ),
    MULTI_INFERENCE: Method(
        f"/{PREDICTION_SERVICE}/{MULTI_INFERENCE}",
        inference_pb2.MultiInferenceRequest,
        inference_pb2.MultiInferenceResponse,
    ),
    GET_MODEL_METADATA: Method(
        f"/{PREDICTION_SERVICE}/{GET_MODEL_METADATA}",
        get_model_metadata_pb2.GetModelMetadataRequest,
        get_model_metadata_pb2.GetModelMetadataResponse,
    ),
    GET_MODEL_STATUS: Method(
        f"/{MODEL_SERVICE}/{GET_MODEL_STATUS}",
        get_model_status_pb2.GetModelStatusRequest,
        get_model_status_pb2.GetModelStatusResponse,
    ),
    RELOAD_CONFIG: Method(
        f"/{MODEL_SERVICE}/{RELOAD_CONFIG}",
        model_management_pb2.ReloadConfigRequest,
        model_management_pb2.ReloadConfigResponse,
    ),
}


def model_name(request: Any) -> str:
    """The model that a request asks for; MultiInference says it in its first task."""
    asked = request
    if not hasattr(request, "model_spec"):
        asked = request.tasks[0] if request.tasks else None
    return str(asked.model_spec.name) if asked is not None else ""
