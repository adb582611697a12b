"""Warm-up: a version answers its recorded requests before it serves anyone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.python.lib.io._pywrap_record_io import RecordIterator

from serving.server import inference, predict
from serving.server.run import Run
from serving.server.servable import Model, Servable
from serving.server.status import Code, StatusError, from_tensorflow, invalid_argument
from serving.wire.protos import prediction_log_pb2

FILE: Final = Path("assets.extra") / "tf_serving_warmup_requests"
MAX_RECORDS: Final = 1000

_RUNS: Final[Mapping[str, Callable[[Any, Run], object]]] = {
    "predict_log": predict.predict,
    "classify_log": inference.classify,
    "regress_log": inference.regress,
    "multi_inference_log": inference.multi_inference,
}


def warm_up(model: Model, folder: Path, times: int = 1) -> None:
    """Runs each record of the version's warm-up file.

    Raises:
      StatusError: a record cannot be read, or its request fails.
    """
    if not (folder / FILE).is_file():
        return
    run = Run(Servable("", 0, model))
    for count, record in enumerate(_records(folder / FILE), start=1):
        if count > MAX_RECORDS:
            raise invalid_argument(
                f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at "
                f"{folder / FILE}"
            )
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
        except DecodeError:
            raise invalid_argument(
                f"Failed to parse warmup record: {record!r} from {folder / FILE}"
            ) from None
        kind = log.WhichOneof("log_type")
        if kind not in _RUNS:
            raise StatusError(
                Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}"
            )
        for _ in range(times):
            _RUNS[kind](getattr(log, kind).request, run)


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
