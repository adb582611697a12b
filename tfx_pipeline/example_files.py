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


def write_tables(tables: Iterable[pa.Table], path: str) -> list[tuple[int, int]]:
    """Leaves tables in one file, each in Arrow's format of streams.

    Returns:
      Where in the file each of them starts, and how many bytes it has.
    """
    found: list[tuple[int, int]] = []
    sink = pa.BufferOutputStream()
    for table in tables:
        start = sink.tell()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        found.append((start, sink.tell() - start))
    _write(sink.getvalue().to_pybytes(), path)
    return found


def write_table(table: pa.Table, path: str) -> None:
    """Leaves one table."""
    write_tables([table], path)


def read_table(path: str, start: int = 0, length: int = -1) -> pa.Table:
    """A table that was left: the one that starts there, or the only one."""
    with fileio.open(path, "rb") as file:
        file.seek(start)
        content: bytes = file.read(length)
    return pa.ipc.open_stream(content).read_all()


def leave(thing: Any, path: str) -> None:
    """Leaves anything that Beam itself could hand from worker to worker."""
    _write(pickle.dumps(thing), path)


def left(path: str) -> Any:
    """What `leave` left."""
    with fileio.open(path, "rb") as file:
        return pickle.loads(file.read())


def _write(content: bytes, path: str) -> None:
    partial = f"{path}.{uuid.uuid4().hex}"
    with fileio.open(partial, "wb") as file:
        file.write(content)
    fileio.rename(partial, path, overwrite=True)
