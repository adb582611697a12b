"""A SavedModel as TF Serving runs it: a graph in a session, called by tensor name.

Unlike `tf.saved_model.load`, whose signature functions check shapes and cost a quarter
of a millisecond a call, a session takes whatever the graph's ops accept, answers with
the runtime's own error texts, and costs some twenty microseconds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.python.client import pywrap_tf_session

from serving.server.status import Code, StatusError, from_tensorflow
from serving.server.storage import PB_FILE
from serving.wire import tensors
from serving.wire.protos import meta_graph_pb2, saved_model_pb2

_SLOW_S: Final = 0.01  # a run that takes longer has the threads between ops
_VARIABLES: Final = frozenset({"VarHandleOp", "VariableV2"})
_INIT_SIGNATURE: Final = "__saved_model_init_op"
_INIT_COLLECTIONS: Final = ("saved_model_main_op", "legacy_init_op")


class SavedModel:
    """A loaded SavedModel.

    Args:
      folder: of one version, with `saved_model.pb` in it.
      tags: of the graph to load.
      threads: of the session, inside an op and between ops; 0 lets TensorFlow choose.
    """

    def __init__(
        self, folder: Path, tags: Sequence[str] = ("serve",), threads: Any = (0, 0)
    ) -> None:
        self._meta = _read(folder, tags)
        self.signatures: Mapping[str, meta_graph_pb2.SignatureDef] = dict(
            self._meta.signature_def
        )
        self._graph = tf.Graph()
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=threads[0],
            inter_op_parallelism_threads=threads[1],
        )
        self._session = tf.compat.v1.Session(graph=self._graph, config=config)
        self._places: dict[str, Any] = {}
        self._took: dict[tuple[int, ...], float] = {}  # the last run, by fetches
        try:
            self._initialise(folder)
        except tf.errors.OpError as error:
            self.close()
            raise from_tensorflow(error) from error
        except (ValueError, TypeError, KeyError) as error:  # a graph that is none
            self.close()
            raise StatusError(Code.INVALID_ARGUMENT, str(error)) from error

    def run(
        self,
        feeds: Mapping[str, tensors.Array],
        fetches: Sequence[str],
        timeout_s: float | None = None,
    ) -> list[tensors.Array]:
        """Values of the fetched tensors for the fed ones, all by tensor name.

        Raises:
          StatusError: whatever the runtime says, in its own words.
        """
        placed = {self._place(name): array for name, array in feeds.items()}
        wanted = [self._place(name) for name in fetches]
        try:
            values = self._run(placed, wanted, timeout_s)
        except tf.errors.OpError as error:
            raise from_tensorflow(error) from error
        except UnicodeDecodeError as error:  # an op's message quotes raw bytes
            text = error.object.decode(errors="replace")
            raise StatusError(Code.INVALID_ARGUMENT, text) from error
        return [
            np.array(value, object) if isinstance(value, bytes) else np.asarray(value)
            for value in values
        ]  # the runtime hands scalars back bare

    def close(self) -> None:
        """Frees the graph and its variables; calls after it fail."""
        self._session.close()

    def _run(
        self, feeds: Mapping[Any, Any], fetches: list[Any], timeout_s: float | None
    ) -> list[Any]:
        handle = self._session._session
        run = pywrap_tf_session.TF_SessionRun_wrapper
        key = tuple(map(id, fetches))
        options = run_options(timeout_s, self._took.get(key, _SLOW_S) < _SLOW_S)
        begun = time.perf_counter()
        if not options:
            values = run(handle, None, feeds, fetches, [], None)
        else:
            buffer = pywrap_tf_session.TF_NewBufferFromString(options)
            try:
                values = run(handle, buffer, feeds, fetches, [], None)
            finally:
                pywrap_tf_session.TF_DeleteBuffer(buffer)
        self._took[key] = time.perf_counter() - begun
        return values

    def _place(self, name: str) -> Any:
        """The runtime's handle of a tensor."""
        found = self._places.get(name)
        if found is None:
            found = self._places[name] = self._find(name)
        return found

    def _find(self, name: str) -> Any:
        node, _, index = name.partition(":")
        try:
            operation = self._graph.get_operation_by_name(node)
        except KeyError as error:
            raise StatusError(
                Code.INVALID_ARGUMENT,
                f"Tensor {name}, specified in either feed_devices or fetch_devices was "
                "not found in the Graph",
            ) from error
        if int(index or 0) >= len(operation.outputs):
            raise StatusError(
                Code.OUT_OF_RANGE,
                f"Node '{node}' (type: '{operation.type}', num of outputs: "
                f"{len(operation.outputs)}) does not have output {index or 0}",
            )
        return operation.outputs[int(index or 0)]._as_tf_output()

    def _initialise(self, folder: Path) -> None:
        """Builds the graph, restores variables, fills tables."""
        variables = folder / "variables"
        if not variables.is_dir() and _has_variables(self._meta):
            raise StatusError(Code.NOT_FOUND, f"The folder {variables} is missing.")
        with self._graph.as_default():
            tf.graph_util.import_graph_def(self._meta.graph_def, name="")
        self._meta.ClearField("graph_def")  # the session has it; it can be large
        self._session._extend_graph()
        assets = {
            entry.tensor_info.name: str(folder / "assets" / entry.filename)
            for entry in self._meta.asset_file_def
        }
        saver = self._meta.saver_def
        if saver.restore_op_name and variables.is_dir():
            feeds = {saver.filename_tensor_name: str(variables / "variables"), **assets}
            self._session.run(saver.restore_op_name, feeds)
        for name in _initialisers(self._meta):
            self._session.run(name, assets)


def run_options(timeout_s: float | None, in_caller: bool) -> bytes:
    """A serialized RunOptions, without the cost of the message.

    >>> tf.compat.v1.RunOptions.FromString(run_options(1.5, in_caller=False))
    timeout_in_ms: 1500
    <BLANKLINE>
    >>> tf.compat.v1.RunOptions.FromString(run_options(1.5, in_caller=True))
    inter_op_thread_pool: -1
    <BLANKLINE>

    Args:
      timeout_s: after which the runtime ends the run; it cannot end one in the calling
        thread, where watching the time would only cost some 30 microseconds.
      in_caller: run the ops in the calling thread; where a run is short, handing it
        to the threads between ops takes longer than they save.
    """
    if in_caller:
        return b"\x18" + tensors.varint(2**64 - 1)  # inter_op_thread_pool: -1
    if timeout_s is None:
        return b""
    return b"\x10" + tensors.varint(max(1, int(min(timeout_s, 1e9) * 1000)))


def _read(folder: Path, tags: Sequence[str]) -> meta_graph_pb2.MetaGraphDef:
    try:
        content = (folder / PB_FILE).read_bytes()
    except OSError:
        raise StatusError(
            Code.NOT_FOUND,
            "Specified file path does not appear to contain a SavedModel bundle "
            f"(should have a file called `{PB_FILE}`)\nSpecified file path: {folder}",
        ) from None
    try:
        saved = saved_model_pb2.SavedModel.FromString(content)
    except (DecodeError, SystemError):  # the latter: protobuf's warning, made an error
        raise StatusError(Code.OUT_OF_RANGE, "Read less bytes than requested") from None
    for meta in saved.meta_graphs:
        if set(meta.meta_info_def.tags) == set(tags):
            return meta
    raise StatusError(
        Code.NOT_FOUND,
        f"Could not find meta graph def matching supplied tags: {{ {' '.join(tags)} }}."
        " To inspect available tag-sets in the SavedModel, please use the SavedModel "
        "CLI: `saved_model_cli`",
    )


def _has_variables(meta: meta_graph_pb2.MetaGraphDef) -> bool:
    """Whether a graph cannot answer before its variables are restored.

    TF Serving loads it without them, and fails each call.
    """
    return any(node.op in _VARIABLES for node in meta.graph_def.node)


def _initialisers(meta: meta_graph_pb2.MetaGraphDef) -> list[str]:
    if _INIT_SIGNATURE in meta.signature_def:
        return [meta.signature_def[_INIT_SIGNATURE].outputs[_INIT_SIGNATURE].name]
    for collection in _INIT_COLLECTIONS:
        if collection in meta.collection_def:
            return list(meta.collection_def[collection].node_list.value)
    return []
