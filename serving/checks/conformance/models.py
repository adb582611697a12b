"""The tiny models that the wire cases call, written as a model store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from serving.server.predict import CLASSIFY_METHOD, REGRESS_METHOD
from serving.wire.protos import saved_model_pb2

HALF_PLUS_TWO: Final = "half_plus_two"
WIDE: Final = "wide"
CONFIG_FILE: Final = "models.config"

_CONFIG: Final = """model_config_list {{
  config {{
    name: "half_plus_two"
    base_path: "{half}"
    model_platform: "tensorflow"
    model_version_policy {{ all {{}} }}
    version_labels {{ key: "stable" value: 1 }}
    version_labels {{ key: "canary" value: 2 }}
  }}
  config {{
    name: "wide"
    base_path: "{wide}"
    model_platform: "tensorflow"
  }}
}}
"""

_X: Final = tf.TensorSpec([None], tf.float32, name="x")
_INPUTS: Final = tf.TensorSpec([None], tf.string, name="inputs")
_METHODS: Final = {
    "regress_x_to_y": REGRESS_METHOD,
    "regress_as_matrix": REGRESS_METHOD,
    "regress_wrong_output": REGRESS_METHOD,
    "regress_wrong_type": REGRESS_METHOD,
    "regress_wrong_input": REGRESS_METHOD,
    "classify_x_to_y": CLASSIFY_METHOD,
    "classify_labels": CLASSIFY_METHOD,
    "classify_vector": CLASSIFY_METHOD,
    "classify_wrong_output": CLASSIFY_METHOD,
    "classify_wrong_input": CLASSIFY_METHOD,
}


class HalfPlusTwo(tf.Module):
    """y = x / 2 + offset, as predict, classify and regress signatures."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = tf.Variable(offset)

    def signatures(self) -> dict[str, Any]:
        """Every signature; their methods are set after saving."""
        one = {
            "serving_default": (lambda x: {"y": self._half(x)}, _X),
            "regress_x_to_y": (lambda s: {"outputs": self._of(s)}, _INPUTS),
            "regress_as_matrix": (lambda s: {"outputs": self._of(s)[:, None]}, _INPUTS),
            "regress_wrong_output": (lambda s: {"y": self._of(s)}, _INPUTS),
            "regress_wrong_type": (
                lambda s: {"outputs": tf.cast(self._of(s), tf.int32)},
                _INPUTS,
            ),
            "regress_wrong_input": (
                lambda s: {"outputs": self._of(s)},
                tf.TensorSpec([None], tf.string, name="examples"),
            ),
            "classify_x_to_y": (lambda s: {"scores": self._of(s)[:, None]}, _INPUTS),
            "classify_labels": (self._labelled, _INPUTS),
            "classify_vector": (lambda s: {"scores": self._of(s)}, _INPUTS),
            "classify_wrong_output": (lambda s: {"y": self._of(s)}, _INPUTS),
            "classify_wrong_input": (
                lambda s: {"scores": self._of(s)[:, None]},
                tf.TensorSpec([None], tf.string, name="examples"),
            ),
        }
        return {name: _function(*parts) for name, parts in one.items()}

    def _half(self, x: tf.Tensor) -> tf.Tensor:
        return x / 2 + self.offset

    def _of(self, examples: tf.Tensor) -> tf.Tensor:
        spec = {"x": tf.io.FixedLenFeature([1], tf.float32)}
        return self._half(tf.io.parse_example(examples, spec)["x"][:, 0])

    def _labelled(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        y = self._of(examples)
        scores = tf.stack([y, -y], axis=1)
        classes = tf.broadcast_to(tf.constant([["high", "low"]]), tf.shape(scores))
        return {"classes": classes, "scores": scores}


class Wide(tf.Module):
    """Several inputs and outputs, a default, strings, every number type."""

    def __init__(self) -> None:
        super().__init__()
        self.table = tf.Variable(tf.reshape(tf.range(20, dtype=tf.float32), [10, 2]))

    def signatures(self) -> dict[str, Any]:
        """Every signature."""
        numbers = tf.TensorSpec([None, 4], tf.float32, name="feats")
        ids = [tf.TensorSpec([None], tf.int64, name=n) for n in ("user", "video")]
        return {
            "serving_default": _function(self._pair, numbers, *ids),
            "with_default": _with_default(),
            "strings": _function(
                lambda text: {"text": text, "length": tf.strings.length(text)},
                tf.TensorSpec(None, tf.string, name="text"),
            ),
            **{f"echo_{d.name}": _echo(d) for d in ECHOED},
        }

    def _pair(
        self, feats: tf.Tensor, user: tf.Tensor, video: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        rows = tf.gather(self.table, video)
        bias = tf.cast(user, tf.float32)
        return {"score": tf.reduce_sum(feats, axis=1) + bias, "emb": rows}


ECHOED: Final = (
    tf.float32,
    tf.float64,
    tf.float16,
    tf.int8,
    tf.int16,
    tf.int32,
    tf.int64,
    tf.uint8,
    tf.uint16,
    tf.uint32,
    tf.uint64,
    tf.bool,
    tf.complex64,
    tf.complex128,
    tf.string,
)


def write_models(folder: Path, seen_as: Path | None = None) -> None:
    """Writes the store: half_plus_two in versions 1 and 2, wide in version 1.

    Args:
      folder: to write to.
      seen_as: the folder's path where the server runs, for `models.config` in it.
    """
    base = seen_as or folder
    config = _CONFIG.format(half=base / HALF_PLUS_TWO, wide=base / WIDE)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG_FILE).write_text(config, encoding="utf-8")
    for version, offset in ((1, 2.0), (2, 3.0)):
        save_half_plus_two(folder / HALF_PLUS_TWO / str(version), offset)
    wide = Wide()
    _save(wide, wide.signatures(), folder / WIDE / "1")


def save_half_plus_two(folder: Path, offset: float) -> None:
    """Writes one version."""
    model = HalfPlusTwo(offset)
    _save(model, model.signatures(), folder)


def _save(model: tf.Module, signatures: dict[str, Any], folder: Path) -> None:
    tf.saved_model.save(model, str(folder), signatures=signatures)
    path = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for name, signature in saved.meta_graphs[0].signature_def.items():
        signature.method_name = _METHODS.get(name, signature.method_name)
    _share_an_input(saved.meta_graphs[0].signature_def)
    path.write_bytes(saved.SerializeToString())


def _share_an_input(signatures: Any) -> None:
    """A classification of the tensor that `regress_as_matrix` answers with.

    MultiInference wants signatures with one input tensor in common, which no two
    functions saved by TensorFlow 2 have.
    """
    if "regress_as_matrix" not in signatures:
        return
    shared = signatures["classify_shared"]
    shared.CopyFrom(signatures["regress_as_matrix"])
    shared.method_name = CLASSIFY_METHOD
    shared.outputs["scores"].CopyFrom(shared.outputs["outputs"])
    del shared.outputs["outputs"]


def _function(body: Callable[..., Any], *specs: tf.TensorSpec) -> Any:
    return tf.function(body, input_signature=list(specs))


def _echo(dtype: tf.DType) -> Any:
    spec = tf.TensorSpec(None, dtype, name="x")
    return _function(lambda x: {"y": tf.identity(x)}, spec)


def _with_default() -> Any:
    """Only a tensor as a Python default becomes a default of the signature."""

    def add(a: tf.Tensor, b: tf.Tensor = tf.constant(7)) -> dict[str, tf.Tensor]:  # noqa: B008
        return {"sum": a + b}

    vector = tf.TensorSpec([None], tf.int32, name="a")
    return _function(add, vector, tf.TensorSpec([], tf.int32, name="b"))
