"""Files that Beam's workers leave for each other, and those of serialized examples.

Every file appears whole or not at all, however often a worker tries.
"""

from __future__ import annotations

import os
import pickle
import uuid
from collections.abc import Iterable
from typing import Any, Final

import pyarrow as pa
import tensorflow as tf
from tfx.dsl.io import fileio
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

#: Vectors hardly shrink, however hard one tries.
_FAST: Final = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)


def write_examples(
    batches: Iterable[pa.RecordBatch], target: str, scratch: str
) -> None:
    """Encodes rows, whose columns are all lists, as a file of `tf.Example`s."""
    partial = os.path.join(scratch, uuid.uuid4().hex)
    encoder = RecordBatchToExamplesEncoder()
    with tf.io.TFRecordWriter(partial, _FAST) as writer:
        for batch in batches:
            for example in encoder.encode(batch):
                writer.write(example)
    fileio.rename(partial, target, overwrite=True)


def encoded(table: pa.Table) -> bytes:
    """A table in Arrow's format of streams."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def decoded(content: bytes) -> pa.Table:
    """The table that `encoded` encoded."""
    return pa.ipc.open_stream(content).read_all()


def write_table(table: pa.Table, path: str) -> None:
    """Leaves a table for other workers."""
    _write(encoded(table), path)


def read_table(path: str) -> pa.Table:
    """What `write_table` left."""
    return decoded(_read(path))


def leave(thing: Any, path: str) -> None:
    """Leaves anything that Beam itself could hand from worker to worker."""
    _write(pickle.dumps(thing), path)


def left(path: str) -> Any:
    """What `leave` left."""
    return pickle.loads(_read(path))


def _write(content: bytes, path: str) -> None:
    partial = f"{path}.{uuid.uuid4().hex}"
    with fileio.open(partial, "wb") as file:
        file.write(content)
    fileio.rename(partial, path, overwrite=True)


def _read(path: str) -> bytes:
    with fileio.open(path, "rb") as file:
        content: bytes = file.read()
        return content
