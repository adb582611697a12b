"""The wire types, imported without starting TensorFlow.

`tensorflow_serving` needs message types that live below the `tensorflow` package,
whose own import takes seconds. While they are imported here, a bare module stands in
for that package; afterwards it is gone, so that a later `import tensorflow` is a real
one and shares these very message types.

Where `tensorflow_serving` is not installed, the client has the messages that it needs
from `client.proto`; the server and the checks need the others.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Iterator
from typing import Any

_PACKAGE = "tensorflow"


@contextlib.contextmanager
def _bare_tensorflow() -> Iterator[None]:
    """Makes sub-packages of TensorFlow importable without running its `__init__`."""
    if _PACKAGE in sys.modules:
        yield
        return
    spec = importlib.machinery.PathFinder.find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(
            "The package `tensorflow` is not installed: run "
            "`pip install 'uvcan-tf[serve]'`."
        )
    stand_in = types.ModuleType(_PACKAGE)
    stand_in.__path__ = list(spec.submodule_search_locations)
    sys.modules[_PACKAGE] = stand_in
    try:
        yield
    finally:
        for name, module in list(sys.modules.items()):
            ours = name == _PACKAGE or name.startswith(f"{_PACKAGE}.")
            if ours and hasattr(module, "__path__"):
                del sys.modules[name]


if importlib.util.find_spec("tensorflow_serving"):
    with _bare_tensorflow():
        from tensorflow.core.example import example_pb2
        from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
        from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
        from tensorflow_serving.apis import (
            classification_pb2,
            get_model_metadata_pb2,
            get_model_status_pb2,
            inference_pb2,
            input_pb2,
            model_management_pb2,
            model_pb2,
            model_service_pb2,
            model_service_pb2_grpc,
            predict_pb2,
            prediction_log_pb2,
            prediction_service_pb2,
            prediction_service_pb2_grpc,
            regression_pb2,
            status_pb2,
        )
        from tensorflow_serving.config import (
            file_system_storage_path_source_pb2,
            model_server_config_pb2,
        )
else:
    from serving.wire import client_pb2

    example_pb2 = get_model_status_pb2 = predict_pb2 = client_pb2
    tensor_pb2 = types_pb2 = client_pb2

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(name)
        raise ImportError(
            f"`{name}` needs the package `tensorflow-serving-api`, which is not "
            "installed: run `pip install 'uvcan-tf[serve]'`."
        )


__all__ = [
    "classification_pb2",
    "example_pb2",
    "file_system_storage_path_source_pb2",
    "get_model_metadata_pb2",
    "get_model_status_pb2",
    "inference_pb2",
    "input_pb2",
    "meta_graph_pb2",
    "model_management_pb2",
    "model_pb2",
    "model_server_config_pb2",
    "model_service_pb2",
    "model_service_pb2_grpc",
    "predict_pb2",
    "prediction_log_pb2",
    "prediction_service_pb2",
    "prediction_service_pb2_grpc",
    "regression_pb2",
    "saved_model_pb2",
    "status_pb2",
    "tensor_pb2",
    "tensor_shape_pb2",
    "types_pb2",
]
