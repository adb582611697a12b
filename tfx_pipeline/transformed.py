"""Raw examples as the library's `Dataset`, and Transform's graph as a layer.

Shapes: n rows of a table, L values of a multivalued feature, D length of a dense one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_transform as tft

from uvcan_tf import features as names
from uvcan_tf.data.dataset import Dataset, Pairs, Side
from uvcan_tf.data.encode_tables import bucket_names
from uvcan_tf.data.encoding import Encoded, raw_spec
from uvcan_tf.errors import UvcanError
from uvcan_tf.features import Categorical, Feature, Features

_BATCH = 4096

Batch = Mapping[str, tf.Tensor | tf.SparseTensor]


class TransformedError(UvcanError):
    """Transform's output does not fit its vocabularies; the message names the split."""


class TransformLayer(tf.Module):
    """Transform's graph, with the outputs of `encode`."""

    def __init__(self, output: tft.TFTransformOutput) -> None:
        super().__init__()
        self._layer = output.transform_features_layer()

    def __call__(self, raw: Batch) -> Encoded:
        """Encodes sparse raw features [N, L], as parsed by `raw_spec`; all of them."""
        return dict(self._layer(dict(raw)))


def read_dataset(
    patterns: Mapping[str, str], output: tft.TFTransformOutput, features: Features
) -> Dataset:
    """Reads and transforms the splits `train`, `users` and `videos`.

    Args:
      patterns: of each split's files of raw examples, by split.
      output: of Transform, for its graph and vocabularies.
      features: the declaration.

    Raises:
      TransformedError: a table's rows are not exactly those of its id's vocabulary.
    """
    reader = _Reader(patterns, output, features)
    pairs, liked = reader.pairs()
    return Dataset(
        features=features,
        users=reader.side(names.USERS, names.USER_ID, features.user),
        videos=reader.side(names.VIDEOS, names.VIDEO_ID, features.video),
        vocabularies={
            feature.name: reader.vocabulary(feature.name)
            for feature in (*features.light_user, *features.light_video)
        }
        | bucket_names(features),
        train=pairs.where(liked),
        impressions=pairs.where(~liked),
    )


class _Reader:
    """Batches of a split's rows, transformed as they are read."""

    def __init__(
        self,
        patterns: Mapping[str, str],
        output: tft.TFTransformOutput,
        features: Features,
    ) -> None:
        self._patterns = patterns
        self._output = output
        self._spec = raw_spec(features)
        self._layer = TransformLayer(output)

    def pairs(self) -> tuple[Pairs, npt.NDArray[np.bool_]]:
        """All pairs of training [P], and whether liked, bool [P].

        They have times where the test set was held out in time.
        """
        ids = (names.USER_ID, names.VIDEO_ID)
        batches = [
            (*(encoded[name].numpy() for name in ids), label.numpy(), time.numpy())
            for encoded, label, time in self._batches(names.TRAIN, ids)
        ]
        user, video, label, time = (
            np.concatenate(part) for part in zip(*batches, strict=True)
        )
        pairs = Pairs(
            user.astype(np.int32), video.astype(np.int32), time if len(time) else None
        )
        return pairs, label == 1

    def side(self, split: str, id_name: str, features: tuple[Feature, ...]) -> Side:
        """A whole table, its rows in the order of its id's vocabulary."""
        ids = self.vocabulary(id_name)
        seen = np.zeros(len(ids) + 2, np.int64)
        columns = {f.name: _Column(f, len(seen)) for f in features}
        for encoded, _, _ in self._batches(split, (id_name, *columns)):
            rows = encoded[id_name].numpy()
            np.add.at(seen, rows, 1)
            for name, column in columns.items():
                column.put(rows, encoded[name])
        if not np.array_equal(seen, [0, *[1] * len(ids), 0]):
            raise TransformedError(
                f"The split of '{id_name}' should have each of its {len(ids):,} ids "
                f"once. Received: {int((seen[1:-1] == 0).sum()):,} ids without a row, "
                f"{int((seen > 1).sum()):,} repeated, {int(seen[0] + seen[-1]):,} rows "
                "whose id is missing or holds a line break."
            )
        return Side(ids=ids, columns={n: column.array for n, column in columns.items()})

    def vocabulary(self, name: str) -> npt.NDArray[np.object_]:
        """All values of a feature, in the order of their numbers."""
        values = self._output.vocabulary_by_name(name)
        return np.array([value.decode() for value in values], dtype=object)

    def _batches(
        self, split: str, columns: tuple[str, ...]
    ) -> Iterator[tuple[Encoded, tf.Tensor, tf.Tensor]]:
        """Encoded columns, labels [N] and times [N]; a split without them has none."""
        whole = tf.io.VarLenFeature(tf.int64)
        spec = self._spec | {names.LABEL: whole, names.TIMESTAMP: whole}

        def encoded(examples: tf.Tensor) -> tuple[Encoded, tf.Tensor, tf.Tensor]:
            raw = tf.io.parse_example(examples, spec)
            label, time = raw.pop(names.LABEL), raw.pop(names.TIMESTAMP)
            every = self._layer(raw)
            return {name: every[name] for name in columns}, label.values, time.values

        files = sorted(tf.io.gfile.glob(self._patterns[split]))
        records = tf.data.TFRecordDataset(files, "GZIP").batch(_BATCH)
        return iter(records.map(encoded).prefetch(1))


class _Column:
    """One feature's array, [n + 2, ...], filled batch by batch."""

    def __init__(self, feature: Feature, size: int) -> None:
        self._feature = feature
        shape = (size,) if feature.width is None else (size, feature.width)
        kind = np.int32 if feature.width is None else np.float32
        if isinstance(feature, Categorical) and feature.multivalued:
            shape = (size, 1)
        self.array: npt.NDArray[Any] = np.zeros(shape, kind)

    def put(self, rows: npt.NDArray[Any], values: tf.Tensor | tf.SparseTensor) -> None:
        if isinstance(self._feature, Categorical) and self._feature.multivalued:
            lists = tf.sparse.to_dense(values).numpy()  # [N, L]
            self._widen(lists.shape[1])
            self.array[rows, : lists.shape[1]] = lists
        else:
            self.array[rows] = values.numpy()

    def _widen(self, length: int) -> None:
        missing = max(length - self.array.shape[1], 0)
        self.array = np.pad(self.array, ((0, 0), (0, missing)))
