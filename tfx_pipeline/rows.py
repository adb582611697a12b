"""Counts rows from stage to stage: a runner that loses some must not go unnoticed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils

from uvcan_tf.errors import UvcanError

_PROPERTY = "rows"


class RowCountError(UvcanError):
    """A stage lost or invented rows; the message names split and counts."""


def record(examples: types.Artifact, counts: Mapping[str, int]) -> None:
    """Writes the number of rows of each split onto the artifact."""
    examples.set_string_custom_property(_PROPERTY, json.dumps(dict(counts)))


def recorded(examples: types.Artifact) -> dict[str, int]:
    """The number of rows of each split, as recorded on the artifact."""
    content: dict[str, int] = json.loads(examples.get_string_custom_property(_PROPERTY))
    return content


def count_artifact(examples: types.Artifact) -> dict[str, int]:
    """Counts the records of each split's files."""
    names = artifact_utils.decode_split_names(examples.split_names)
    return {
        name: _count(artifact_utils.get_split_uri([examples], name)) for name in names
    }


def check(stage: str, expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Raises `RowCountError` unless each split has as many rows as expected."""
    wrong = [name for name in expected if found.get(name, 0) != expected[name]]
    if wrong:
        counts = "; ".join(
            f"split '{name}' should have {expected[name]:,} rows. "
            f"Received: {found.get(name, 0):,}"
            for name in wrong
        )
        raise RowCountError(
            f"{stage} lost or invented rows: {counts}. Run with one Beam worker."
        )


def _count(folder: str) -> int:
    files = tf.io.gfile.glob(f"{folder}/*.gz")
    records = tf.data.TFRecordDataset(files, "GZIP").batch(4096)
    counts = records.map(lambda batch: tf.shape(batch, tf.int64)[0])
    return int(counts.reduce(tf.constant(0, tf.int64), tf.add))
