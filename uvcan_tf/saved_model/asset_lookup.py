"""Names to row numbers by text files, which a SavedModel carries as its assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import tensorflow as tf

from uvcan_tf.data.encoding import lookup_keys


class AssetLookup(tf.Module):
    """Looks names up in vocabularies written one name a line.

    A name with a line break in it has a line but is never found, as in training.

    Args:
      vocabularies: names by feature; row numbers are positions in them.
      folder: for `<feature>.txt`; needed until the model is saved.

    Call: (feature, strings) -> int64, 0..n-1 for the n known names, n else.
    """

    def __init__(self, vocabularies: Mapping[str, Iterable[str]], folder: Path) -> None:
        super().__init__()
        self._tables = {
            name: _table(list(values), folder / f"{name}.txt")
            for name, values in vocabularies.items()
        }

    def __call__(self, name: str, strings: tf.Tensor) -> tf.Tensor:
        return self._tables[name].lookup(strings)


def _table(values: list[str], path: Path) -> tf.lookup.StaticHashTable:
    lines = lookup_keys(values) or lookup_keys(["\n"])  # no empty tables in TensorFlow
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    initializer = tf.lookup.TextFileInitializer(
        str(path),
        key_dtype=tf.string,
        key_index=tf.lookup.TextFileIndex.WHOLE_LINE,
        value_dtype=tf.int64,
        value_index=tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    return tf.lookup.StaticHashTable(initializer, default_value=len(values))
