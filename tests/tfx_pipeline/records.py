"""What files of serialized examples hold, as text that can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf


def of_folder(folder: Path) -> Iterator[str]:
    """The records of a folder's files, in the order of their names."""
    files = [str(path) for path in sorted(folder.iterdir())]
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP"):
        yield content(record.numpy())


def content(record: bytes) -> str:
    """The features in the order of their names: the bytes are in no certain order."""
    return str(sorted(tf.train.Example.FromString(record).features.feature.items()))
