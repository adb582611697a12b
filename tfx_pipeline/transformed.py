"""Transform's output as the library's `Dataset`, and its graph as a layer.

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
from uvcan_tf.dataset import Dataset, Pairs, Side
from uvcan_tf.encoding import Encoded
from uvcan_tf.features import Categorical, Dense, Feature, Features

_BATCH = 4096

Batch = Mapping[str, tf.Tensor | tf.SparseTensor]


class TransformedError(ValueError):
    """Transform's output does not fit its vocabularies; the message names the split."""


class TransformLayer(tf.Module):
    """Transform's graph with the outputs of `encode`.

    Transform writes a dense feature as sparse values, so that the many rows without
    one stay small; here it is [N, D] again.
    """

    def __init__(self, output: tft.TFTransformOutput, features: Features) -> None:
        super().__init__()
        self._features = features
        self._layer = output.transform_features_layer()

    def __call__(self, raw: Batch) -> Encoded:
        """Encodes sparse raw features [N, L], as parsed by `raw_spec`."""
        encoded = dict(self._layer(dict(raw)))
        encoded.pop(names.LABEL, None)
        for feature in self._features.video:
            if isinstance(feature, Dense) and feature.name in encoded:
                encoded[feature.name] = _vectors(encoded[feature.name], feature)
        return encoded


def read_dataset(
    patterns: Mapping[str, str], output: tft.TFTransformOutput, features: Features
) -> Dataset:
    """Reads the splits `train`, `users` and `videos`.

    Args:
      patterns: of each split's files, by split.
      output: of Transform, for vocabularies and types.
      features: the declaration.

    Raises:
      TransformedError: a table's rows are not exactly those of its id's vocabulary.
    """
    user, video, liked = _pairs(patterns[names.TRAIN], output)
    return Dataset(
        features=features,
        users=_side(patterns[names.USERS], output, names.USER_ID, features.user),
        videos=_side(patterns[names.VIDEOS], output, names.VIDEO_ID, features.video),
        vocabularies={
            feature.name: _vocabulary(output, feature.name)
            for feature in (*features.user, *features.light_video)
        },
        train=Pairs(user[liked], video[liked]),
        shown=Pairs(user[~liked], video[~liked]),
    )


def _batches(
    pattern: str, output: tft.TFTransformOutput, columns: list[str]
) -> Iterator[Batch]:
    whole = output.transformed_feature_spec()
    spec = {name: whole[name] for name in columns}
    files = tf.io.gfile.glob(pattern)
    records = tf.data.TFRecordDataset(files, "GZIP").batch(_BATCH)
    parsed = records.map(lambda serialized: tf.io.parse_example(serialized, spec))
    return iter(parsed.prefetch(1))


def _pairs(
    pattern: str, output: tft.TFTransformOutput
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Rows of users and videos, int32 [P], and whether liked, bool [P]."""
    columns = [names.USER_ID, names.VIDEO_ID, names.LABEL]
    user, video, label = zip(
        *(
            (b[names.USER_ID].numpy(), b[names.VIDEO_ID].numpy(), _values(b))
            for b in _batches(pattern, output, columns)
        ),
        strict=True,
    )
    return (
        np.concatenate(user).astype(np.int32),
        np.concatenate(video).astype(np.int32),
        np.concatenate(label) == 1,
    )


def _values(batch: Batch) -> npt.NDArray[Any]:
    return batch[names.LABEL].values.numpy()


def _side(
    pattern: str,
    output: tft.TFTransformOutput,
    id_name: str,
    features: tuple[Feature, ...],
) -> Side:
    ids = _vocabulary(output, id_name)
    seen = np.zeros(len(ids) + 2, np.int64)
    columns = {f.name: _Column(f, len(seen)) for f in features}
    for batch in _batches(pattern, output, [id_name, *columns]):
        rows = batch[id_name].numpy()
        np.add.at(seen, rows, 1)
        for name, column in columns.items():
            column.put(rows, batch[name])
    if not np.array_equal(seen, [0, *[1] * len(ids), 0]):
        raise TransformedError(
            f"The split of '{id_name}' should have each of its {len(ids):,} ids once. "
            f"Received: {int((seen[1:-1] == 0).sum()):,} ids without a row, "
            f"{int((seen > 1).sum()):,} repeated, {int(seen[0] + seen[-1]):,} rows "
            "whose id is missing or holds a line break."
        )
    return Side(ids=ids, columns={n: column.array for n, column in columns.items()})


class _Column:
    """One feature's array, [n + 2, ...], filled batch by batch."""

    def __init__(self, feature: Feature, size: int) -> None:
        self._feature = feature
        shape = (size, feature.length) if isinstance(feature, Dense) else (size,)
        kind = np.float32 if isinstance(feature, Dense) else np.int32
        if isinstance(feature, Categorical) and feature.multivalued:
            shape = (size, 1)
        self.array: npt.NDArray[Any] = np.zeros(shape, kind)

    def put(self, rows: npt.NDArray[Any], values: tf.Tensor | tf.SparseTensor) -> None:
        if isinstance(self._feature, Dense):
            self.array[rows] = _vectors(values, self._feature).numpy()
        elif self._feature.multivalued:
            lists = tf.sparse.to_dense(values).numpy()  # [N, L]
            self._widen(lists.shape[1])
            self.array[rows, : lists.shape[1]] = lists
        else:
            self.array[rows] = values.numpy()

    def _widen(self, length: int) -> None:
        missing = max(length - self.array.shape[1], 0)
        self.array = np.pad(self.array, ((0, 0), (0, missing)))


def _vectors(values: tf.SparseTensor, feature: Dense) -> tf.Tensor:
    """[N, D] of sparse values, zeros in rows that have none."""
    shape = tf.stack([values.dense_shape[0], feature.length])
    dense = tf.scatter_nd(values.indices, values.values, shape)
    return tf.reshape(dense, [-1, feature.length])


def _vocabulary(output: tft.TFTransformOutput, name: str) -> npt.NDArray[np.object_]:
    values = output.vocabulary_by_name(name)
    return np.array([value.decode() for value in values], dtype=object)
