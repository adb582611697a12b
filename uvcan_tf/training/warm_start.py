"""Training that begins with the weights of a model that was exported before.

Shapes: n known rows of a table; row 0 is "missing", the last one "unknown".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from uvcan_tf import config as settings
from uvcan_tf.config import Config, ConfigError
from uvcan_tf.data.encoding import lookup_keys
from uvcan_tf.errors import TrainingError, UvcanError
from uvcan_tf.evaluation.saved_scorer import CONFIG_FILE
from uvcan_tf.features import USER_ID, VIDEO_ID, Numeric
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.network.facets import DENSE

__all__ = ["Begun", "begin_with"]

#: Where in a SavedModel's variables those of the network stand, in their order.
_WEIGHT: Final = "_catalogue/_weights/{}/.ATTRIBUTES/VARIABLE_VALUE"
_GRAPH: Final = "_CHECKPOINTABLE_OBJECT_GRAPH"
_TABLE: Final = "_embedding"
_OF_MODEL: Final = ("factors", "hops", "hidden_widths", "video_attention_only")


class Begun(NamedTuple):
    """What training begins with: a sentence, and whether it is the saved model."""

    sentence: str
    warm: bool


def begin_with(folder: Path, model: UVCAN) -> Begun:
    """Gives the network the weights of a SavedModel, if it has the same shape.

    A row of a table that belongs to an id, or to a value of an attribute, is the row of
    the same id or value there; those that are new keep what they have. All else is
    taken as it is. Hold pairs out in time: of a split at random, the model may have
    learned pairs that are held out now.

    Args:
      folder: of the SavedModel.
      model: built.

    Returns:
      What was taken, or why nothing was of a model of another shape.

    Raises:
      TrainingError: there is no SavedModel in the folder.
    """
    try:
        saved = _Saved(folder)
        saved.require_same_shape(model)
        rows = _rows(saved, model)
        of_rows = _vocabularies_of_weights(model)
        weights = zip(model.network.get_weights(), saved.weights, of_rows, strict=True)
        found = [
            _mapped(fresh, old, rows[name] if name else None)
            for fresh, old, name in weights
        ]
    except _OtherShapeError as error:
        return Begun(f"Training begins anew: {error}.", warm=False)
    model.network.set_weights(found)
    users, videos = (int((rows[name][1:-1] > 0).sum()) for name in (USER_ID, VIDEO_ID))
    return Begun(
        f"Training begins with the model in {folder}, which knows {users:,} of the "
        f"{model.dataset.users.size:,} users and {videos:,} of the "
        f"{model.dataset.videos.size:,} videos.",
        warm=True,
    )


class _OtherShapeError(UvcanError):
    """Training cannot begin with the saved model; the message says why."""


class _Saved:
    """The network's weights in a SavedModel, by their order.

    Attributes:
      names: of the weights, without those of their layers.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        except (ValueError, tf.errors.OpError) as error:
            raise TrainingError(
                f"{folder} should be a SavedModel to begin training with; name the "
                "folder of one version, such as serving/uvcan/1. Received: "
                f"{str(error).splitlines()[0]}"
            ) from None
        graph = TrackableObjectGraph.FromString(reader.get_tensor(_GRAPH))
        names = {
            attribute.checkpoint_key: attribute.full_name
            for node in graph.nodes
            for attribute in node.attributes
        }
        keys = [_WEIGHT.format(number) for number in range(len(names))]
        keys = [key for key in keys if key in names]
        self.names = [names[key].rpartition("/")[2] for key in keys]
        self.weights = [reader.get_tensor(key) for key in keys]

    def require_same_shape(self, model: UVCAN) -> None:
        """Raises `_OtherShapeError` where the networks differ but for known rows."""
        self._compare(model.config)
        names = [_name(weight) for weight in model.network.weights]
        if self.names != names:
            self._refuse(_difference(self.names, names))
        pairs = zip(names, self.weights, model.network.get_weights(), strict=True)
        vocabularies = _vocabularies_of_weights(model)
        for (name, old, fresh), vocabulary in zip(pairs, vocabularies, strict=True):
            skipped = 0 if vocabulary is None else 1
            if old.ndim != fresh.ndim or old.shape[skipped:] != fresh.shape[skipped:]:
                self._refuse(
                    f"has '{name}' of the shape {[*old.shape]} instead of "
                    f"{[*fresh.shape]}"
                )

    def require_rows(self, name: str, rows: int, wanted: int) -> None:
        """Raises `_OtherShapeError` unless a table has as many rows as it should."""
        if rows != wanted:
            self._refuse(f"has {rows - 2} buckets of '{name}' instead of {wanted - 2}")

    def vocabulary(self, name: str, rows: int) -> list[str]:
        """The values of an attribute, or the ids, in the order of their rows."""
        for file in (f"{name}.txt", name):  # of the library, and of Transform
            path = self._folder / "assets" / file
            if path.exists():
                lines = path.read_bytes().decode().split("\n")[:-1]
                if len(lines) >= rows - 2:
                    return lines[: rows - 2]
        raise self._refusal(f"does not list the {rows - 2} values of '{name}'")

    def _compare(self, config: Config) -> None:
        """Tells the settings by which the networks differ, the plainest reason."""
        file = self._folder / CONFIG_FILE
        if not file.exists():
            return
        try:
            saved = settings.load(file)
        except ConfigError as error:
            raise self._refusal(f"has settings of another version ({error})") from None
        for name in _OF_MODEL:
            old, new = getattr(saved.model, name), getattr(config.model, name)
            if old != new:
                self._refuse(f"has model.{name} {old} instead of {new}")
        old, new = (c.history is not None for c in (saved, config))
        if old != new:
            what = "with" if old else "without"
            self._refuse(f"was trained {what} the section `history`")

    def _refuse(self, what: str) -> None:
        raise self._refusal(what)

    def _refusal(self, what: str) -> _OtherShapeError:
        return _OtherShapeError(f"the model in {self._folder} {what}")


def _difference(old: Sequence[str], new: Sequence[str]) -> str:
    """How the lists of the weights of two networks differ."""
    lacks, more = (
        ", ".join(sorted({name.removesuffix(_TABLE) for name in set(a) - set(b)}))
        for a, b in ((new, old), (old, new))
    )
    found = [f"lacks {lacks}"] * bool(lacks) + [f"has {more} besides"] * bool(more)
    return " and ".join(found) or "has its features in another order"


def _vocabularies_of_weights(model: UVCAN) -> list[str | None]:
    """For every weight, whose values its rows are; None of one without such rows."""
    network = model.network
    tables = {
        embedding.table(facet.name).ref(): facet.name
        for embedding in (network.user_embedding, network.video_embedding)
        for facet in embedding.facets
        if facet.kind != DENSE
    }
    if network.history:
        tables |= {weight.ref(): VIDEO_ID for weight in network.liked_videos.weights}
    return [tables.get(weight.ref()) for weight in network.weights]


def _rows(saved: _Saved, model: UVCAN) -> dict[str, npt.NDArray[np.int64]]:
    """For every table, where the rows of this model stand in the saved one, [n+2].

    -1 stands for nowhere. Buckets of numbers are the same by their number.
    """
    dataset, found = model.dataset, dict[str, npt.NDArray[np.int64]]()
    ids = {USER_ID: dataset.users.ids, VIDEO_ID: dataset.videos.ids}
    values = {**dataset.vocabularies, **ids}
    numeric = {
        feature.name
        for feature in (*dataset.features.user, *dataset.features.video)
        if isinstance(feature, Numeric)
    }
    for name, old in zip(_vocabularies_of_weights(model), saved.weights, strict=True):
        if name is None or name in found:
            continue
        if name in numeric:
            saved.require_rows(name, len(old), len(values[name]) + 2)
            found[name] = np.arange(len(old))
        else:
            found[name] = _places(saved.vocabulary(name, len(old)), values[name])
    return found


def _places(old: Sequence[str], new: Iterable[str]) -> npt.NDArray[np.int64]:
    """The old row of each new one, [n+2]; "missing" and "unknown" stay the same."""
    known = pc.index_in(
        pa.array(lookup_keys(new), pa.string()), value_set=pa.array(old, pa.string())
    )
    places = np.asarray(pc.fill_null(pc.add(known, 1), -1), np.int64)
    return np.concatenate([[0], places, [len(old) + 1]])


def _mapped(
    fresh: npt.NDArray[Any], old: npt.NDArray[Any], rows: npt.NDArray[np.int64] | None
) -> npt.NDArray[Any]:
    """The old values, row by row where the rows have moved."""
    if rows is None:
        return old
    mapped = fresh.copy()
    mapped[rows >= 0] = old[rows[rows >= 0]]
    return mapped


def _name(weight: tf.Variable) -> str:
    return str(weight.name).rpartition("/")[2].removesuffix(":0")
