"""A case for a server that joins calls: what it does to any model exported here."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
import numpy as np

from serving.wire import tensors
from serving.wire.protos import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

Inputs = Mapping[str, tensors.Array]
Outputs = Mapping[str, tensors.Array]

#: TF Serving refuses calls beyond four a CPU, and so does a server with one.
_AT_ONCE: Final = 4


@dataclasses.dataclass(frozen=True)
class Call:
    """A call of Predict.

    Args:
      signature: of the model.
      inputs: those that are sent; the others are left to their defaults.
      outputs: those that are asked for; all of them when there are none.
    """

    signature: str
    inputs: Inputs
    outputs: tuple[str, ...] = ()


class Batching:
    """A model behind a server that was started with `--enable_batching`.

    Args:
      channel: to the server.
      model: its name there.
      users: some ids, known to the model or not.
      timeout_s: for each call; the first one of some outputs takes seconds.
      join_within_s: how long calls are sent until some of them meet.
    """

    def __init__(
        self,
        channel: grpc.Channel,
        model: str,
        users: Sequence[str],
        timeout_s: float = 60.0,
        join_within_s: float = 20.0,
    ) -> None:
        self.users = tuple(users)
        self.join_within_s = join_within_s
        self._model = model
        self._timeout_s = timeout_s
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(channel)

    @functools.cached_property
    def signatures(self) -> Mapping[str, Any]:
        """SignatureDefs by name."""
        request = get_model_metadata_pb2.GetModelMetadataRequest()
        request.model_spec.name = self._model
        request.metadata_field.append("signature_def")
        reply = self._predictions.GetModelMetadata(request, timeout=self._timeout_s)
        found = get_model_metadata_pb2.SignatureDefMap()
        reply.metadata["signature_def"].Unpack(found)
        return found.signature_def

    def states(self) -> Sequence[Any]:
        """The status of every version, newest first."""
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = self._model
        reply = self._models.GetModelStatus(request, timeout=self._timeout_s)
        return list(reply.model_version_status)

    def ask(self, call: Call) -> Outputs:
        """Makes one call."""
        request = predict_pb2.PredictRequest(output_filter=call.outputs)
        request.model_spec.name = self._model
        request.model_spec.signature_name = call.signature
        for name, array in call.inputs.items():
            tensors.write(array, request.inputs[name])
        reply = self._predictions.Predict(request, timeout=self._timeout_s)
        return {name: tensors.to_array(proto) for name, proto in reply.outputs.items()}

    def ask_together(self, calls: Sequence[Call]) -> list[Outputs]:
        """Makes the calls, as many at once as a server on one CPU still takes."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self.ask, calls))


@dataclasses.dataclass(frozen=True)
class BatchingCase:
    """A claim about a model behind batches.

    Args:
      name: the claim, unique in the suite.
      differs: what is otherwise; None when the claim holds.
    """

    name: str
    differs: Callable[[Batching], str | None]

    def run(self, batching: Batching) -> str | None:
        """What differs; a refused call is a difference, too."""
        try:
            return self.differs(batching)
        except grpc.RpcError as error:
            return f"status {error.code().name} ({error.details()}), expected OK"


def outputs_differ(found: Outputs, expected: Outputs) -> str | None:
    """How a joined reply differs from that of a call that was alone.

    A joined reply may be wider, because the lists of a batch are made equally long.
    """
    if set(found) != set(expected):
        return f"outputs {sorted(found)}, expected {sorted(expected)}"
    for name, array in expected.items():
        own = found[name][tuple(slice(size) for size in array.shape)]
        if own.shape != array.shape or not _alike(own, array):
            return f"{name} {own.tolist()}, expected {array.tolist()}"
    return None


def _alike(found: tensors.Array, expected: tensors.Array) -> bool:
    if expected.dtype.kind != "f":
        return bool(np.array_equal(found, expected))
    return bool(np.allclose(found, expected, rtol=0, atol=1e-5, equal_nan=True))
