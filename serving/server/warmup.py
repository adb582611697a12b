"""Warm-up: a version answers its recorded requests before it serves anyone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.python.lib.io._pywrap_record_io import RecordIterator

from serving.server import inference, predict
from serving.server.metrics import Metrics
from serving.server.run import Run
from serving.server.servable import Model, Servable
from serving.server.status import Code, StatusError, from_tensorflow, invalid_argument
from serving.wire import services
from serving.wire.protos import prediction_log_pb2

FILE: Final = Path("assets.extra") / "tf_serving_warmup_requests"
MAX_RECORDS: Final = 1000
LIMIT_S: Final = 600.0  # of one run: a queue must not hold the start for ever

_RUNS: Final[Mapping[str, tuple[str, Callable[[Any, Run], object]]]] = {
    "predict_log": (services.PREDICT, predict.predict),
    "classify_log": (services.CLASSIFY, inference.classify),
    "regress_log": (services.REGRESS, inference.regress),
    "multi_inference_log": (services.MULTI_INFERENCE, inference.multi_inference),
}


def warm_up(
    model: Model, folder: Path, times: int = 1, metrics: Metrics | None = None
) -> None:
    """Runs each record of the version's warm-up file.

    Args:
      model: of the version.
      folder: of the version.
      times: that each record is run.
      metrics: counts the runs under the models' names that the records have.

    Raises:
      StatusError: a record cannot be read, or its request fails.
    """
    if not (folder / FILE).is_file():
        return
    for count, record in enumerate(_records(folder / FILE), start=1):
        if count > MAX_RECORDS:
            raise invalid_argument(
                f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at "
                f"{folder / FILE}"
            )
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
        except (DecodeError, SystemError):  # the latter: protobuf's failed warning
            raise invalid_argument(
                f"Failed to parse warmup record: {record!r} from {folder / FILE}"
            ) from None
        kind = log.WhichOneof("log_type")
        if kind not in _RUNS:
            raise StatusError(
                Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}"
            )
        request = getattr(log, kind).request
        servable = Servable(services.model_name(request), 0, model)
        for _ in range(times):
            call, method = _RUNS[kind]
            method(request, Run(servable, call, metrics, LIMIT_S))


def _records(path: Path) -> Iterator[bytes]:
    if path.stat().st_size < 12:  # less than one record's header: empty
        return
    records = RecordIterator(str(path), "")  # tf.compat's own warns at every call
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except tf.errors.DataLossError as error:
            status = from_tensorflow(error)
            raise StatusError(
                Code.DATA_LOSS,
                f"{status.message}. Please verify your warmup data is in TFRecord "
                "format.",
            ) from error
        yield record
