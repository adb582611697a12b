"""Writes a training run for TensorBoard, a step an epoch."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from tensorboard.plugins.histogram import summary_v2

from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.model.batches import trainable
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.terminal import heat_map
from uvcan_tf.training.tensorboard import hyper_parameters
from uvcan_tf.training.tensorboard.embeddings import write_embeddings
from uvcan_tf.training.tensorboard.norms import Norms
from uvcan_tf.training.tensorboard.probe import Probe, Seen, facet_names
from uvcan_tf.training.tensorboard.texts import texts

#: Tags of the scalars, by the key of what an epoch's logs hold.
TAGS: Final = {
    "loss": "training/loss",
    "l2": "training/l2",
    "learning_rate": "training/learning_rate",
    "pairs_per_second": "training/examples_per_second",
    "validation_hr@10": "validation/hr@10",
    "validation_ndcg@100": "validation/ndcg@100",
    "validation_mrr": "validation/mrr",
    "validation_tied": "validation/share_of_tied_scores",
    "gradient_norm": "norms/gradient",
    "weight_norm": "norms/weights",
    "update_norm": "norms/update",
}
_MOST_NUMBERS: Final = 1 << 14  # of a weight's histogram: more would not change it


@dataclasses.dataclass(frozen=True)
class Logs:
    """Where a run's files go, and how much of it.

    Args:
      folder: of this run alone; TensorBoard calls the run by its name.
      brief: without the graph and the embeddings, as for the trials of a search.
    """

    folder: Path
    brief: bool = False


class Board(tf.keras.callbacks.Callback):
    """Scalars, histograms and images after every epoch; see `session` for the rest.

    Args:
      model: built.
      pairs: likes that are scored again after every epoch.
      config: of the run.
      logs: where to.

    Attributes:
      attention: the mean attention of the likes with the weights that were kept, by
        side; known once the session has ended.
    """

    def __init__(
        self, model: PairModel, pairs: Pairs, config: Config, logs: Logs
    ) -> None:
        super().__init__()
        self._watched, self._config, self._logs = model, config, logs
        self._norms = Norms(model)
        self._probe = Probe(model, pairs)
        self.attention: dict[str, list[list[float]]] = {}

    @contextlib.contextmanager
    def session(self, resumes: bool) -> Iterator[None]:
        """A run from its settings to the embeddings of the weights that were kept.

        Args:
          resumes: whether the run was killed before; else the folder is emptied.
        """
        folder = self._logs.folder
        if not resumes:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._writer = tf.summary.create_file_writer(str(folder))
        if not resumes:
            self._write_what_is_known()
        with hyper_parameters.session(self._writer, self._config, folder.name):
            yield
            self._write_what_was_kept()
        self._writer.close()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs if logs is not None else {}
        logs |= self._norms.measure()
        logs["learning_rate"] = float(self._watched.optimizer.learning_rate.numpy())
        seen = self._probe.look()
        with self._writer.as_default(step=epoch + 1):
            for key, tag in TAGS.items():
                if key in logs:
                    tf.summary.scalar(tag, logs[key])
            self._histograms(seen)
            self._images("attention", seen.mean_attention())
        self._writer.flush()

    def _write_what_is_known(self) -> None:
        dataset = self._watched.dataset
        with self._writer.as_default(step=0):
            for title, text in texts(dataset, self._config).items():
                tf.summary.text(title, text)
            if not self._logs.brief:
                tf.summary.graph(self._probe.graph)

    def _write_what_was_kept(self) -> None:
        """Of the best epoch's weights, which the model has by now."""
        seen = self._probe.look()
        self.attention = seen.mean_attention()
        dataset = self._watched.dataset
        with self._writer.as_default(step=0):
            for feature in dataset.features.slices:
                self._images_of_slice(seen, feature)
        if isinstance(self._watched, UVCAN) and not self._logs.brief:
            write_embeddings(self._watched.network, dataset, self._logs.folder)

    def _histograms(self, seen: Seen) -> None:
        for weight in self._watched.network.weights:
            numbers = weight.numpy().ravel()
            some = numbers[:: -(-numbers.size // _MOST_NUMBERS)]
            _histogram(f"weights/{weight.name.partition(':')[0]}", some)
        _histogram("scores/likes", seen.likes)
        _histogram("scores/rivals", seen.rivals)
        for side, hops in seen.attention.items():
            for number, hop in enumerate(hops, start=1):
                _histogram(f"attention/{side}/hop_{number}", hop)

    def _images(self, group: str, attention: Mapping[str, Any]) -> None:
        """A heat map of either side: a row a hop, a column a facet."""
        for side, hops in attention.items():
            rows = [f"hop {number + 1}" for number in range(len(hops))]
            self._image(f"{group}/{side}", hops, rows, side)

    def _images_of_slice(self, seen: Seen, feature: str) -> None:
        """The same by groups of users, a row a group and a hop."""
        groups = self._probe.groups(feature)
        means = {name: seen.mean_attention(some) for name, some in groups.items()}
        (column,) = self._watched.dataset.features.columns_of([feature])
        for side in seen.attention:
            rows, weights = [], []
            for name, mean in means.items():
                rows += [f"{name}, hop {n + 1}" for n in range(len(mean[side]))]
                weights += mean[side]
            self._image(f"attention_by_{column}/{side}", weights, rows, side)

    def _image(self, tag: str, weights: Any, rows: list[str], side: str) -> None:
        columns = facet_names(self._watched)[side]
        title = f"Mean {side.replace('_', ' ')}"
        drawn = heat_map.picture(weights, rows, columns, title)
        tf.summary.image(tag, np.asarray(drawn)[None])


def watched_pairs(validation: Pairs, dataset: Dataset) -> Pairs:
    """What a `Probe` looks at: validation pairs, or training ones where there are none.

    Args:
      validation: pairs of users who leave a video.
      dataset: trained on.
    """
    return validation if len(validation) else trainable(dataset)


def _histogram(tag: str, numbers: Any) -> None:
    """As `tf.summary.histogram`, by NumPy, which is ten times faster."""
    content = summary_v2.histogram_pb(tag, numbers).SerializeToString()
    tf.summary.experimental.write_raw_pb(content)
