"""The custom ExampleGen: one snapshot of three tables, written as four splits.

The tables are checked, joined and split as Arrow columns in the executor's process;
Beam's workers encode and write one shard of rows at a time.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
from google.protobuf import struct_pb2
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import Artifact, artifact_utils
from tfx.utils import proto_utils
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from tfx_pipeline import rows, snapshot
from tfx_pipeline.addresses import fetched
from tfx_pipeline.config import CONFIG_KEY, DAYS_KEY, FEATURES_KEY, PipelineConfig
from uvcan_tf import config as settings
from uvcan_tf import features as names
from uvcan_tf.data.tables import read_tables

#: Vectors hardly shrink, however hard one tries.
_FAST: Final = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)


def example_gen(config: PipelineConfig) -> FileBasedExampleGen:
    """The component: `config.data` in, `Examples` of four splits out.

    What the cache compares are the files that match a pattern: of the folder, of the
    folders of part files in it, and of days in these. TFX's own `{SPAN}` would be one
    span of all tables; here `config.days` chooses among those of the interactions.
    """
    split, read = example_gen_pb2.SplitConfig.Split, example_gen_pb2.Input.Split
    return FileBasedExampleGen(
        input_base=config.data,
        input_config=example_gen_pb2.Input(
            splits=[
                read(name="files", pattern="*"),
                read(name="parts", pattern="*/*"),
                read(name="days", pattern="*/*/*"),
            ]
        ),
        output_config=example_gen_pb2.Output(
            split_config=example_gen_pb2.SplitConfig(
                splits=[split(name=n, hash_buckets=1) for n in snapshot.SPLITS]
            )
        ),
        custom_config=custom_config(config),
        custom_executor_spec=BeamExecutorSpec(Executor),
    )


def custom_config(config: PipelineConfig) -> str:
    """What the executor is told beside the tables' address, as TFX writes it."""
    custom = example_gen_pb2.CustomConfig()
    content = struct_pb2.Struct()
    content.update(config.data_config())
    custom.custom_config.Pack(content)
    return str(proto_utils.proto_to_json(custom))


class Executor(BaseBeamExecutor):
    """Writes `train`, `eval`, `users` and `videos`, and counts what it wrote.

    Each element of the Beam pipeline is a shard, read, encoded and written as a whole:
    Beam's own sinks handle a row in tens of microseconds.
    """

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the Beam pipeline, then checks that every row was written.

        Raises:
          DataError: one sentence on tables that cannot be used.
          RowCountError: other rows were written than were read.
        """
        (examples,) = output_dict["examples"]
        examples.split_names = artifact_utils.encode_split_names(list(snapshot.SPLITS))
        splits = self._splits(exec_properties)
        shards = [
            shard
            for name, table in splits.items()
            for shard in self._spilled(examples, name, table)
        ]
        with self._make_beam_pipeline() as pipeline:
            every = pipeline | "Shards" >> beam.Create(shards, reshuffle=True)
            _ = every | "Write" >> beam.Map(_write)
        expected = {name: table.num_rows for name, table in splits.items()}
        rows.check("ExampleGen", expected, rows.count_artifact(examples))
        rows.record(examples, expected)

    def _splits(self, exec_properties: dict[str, Any]) -> dict[str, pa.Table]:
        custom = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(exec_properties["custom_config"], custom)
        content = struct_pb2.Struct()
        custom.custom_config.Unpack(content)
        features = names.from_json(json.loads(content[FEATURES_KEY]))
        config = settings.from_json(json.loads(content[CONFIG_KEY]))
        folder = fetched(exec_properties["input_base"], self._get_tmp_dir())
        days = content[DAYS_KEY] if DAYS_KEY in content else ""
        tables = read_tables(folder, features, days=days)
        remembered = config.recommendation.remembers_likes
        return snapshot.splits(tables, features, config.evaluation, remembered)

    def _spilled(
        self, examples: Artifact, name: str, table: pa.Table
    ) -> Iterator[_Shard]:
        """Writes a split's shards where every worker can read them."""
        scratch = os.path.join(self._get_tmp_dir(), "shards", name)
        folder = artifact_utils.get_split_uri([examples], name)
        fileio.makedirs(scratch)
        fileio.makedirs(folder)
        batches = list(snapshot.shards(table))
        for number, batch in enumerate(batches):
            source = os.path.join(scratch, f"{number:05d}.arrow")
            stream = pa.BufferOutputStream()
            with pa.ipc.new_stream(stream, batch.schema) as writer:
                writer.write_batch(batch)
            with fileio.open(source, "wb") as file:
                file.write(stream.getvalue().to_pybytes())
            target = f"data_tfrecord-{number:05d}-of-{len(batches):05d}.gz"
            yield _Shard(source, os.path.join(folder, target))


class _Shard(NamedTuple):
    """Rows in Arrow's format, and the file of serialized examples to make of them."""

    source: str
    target: str


def _write(shard: _Shard) -> None:
    """Leaves a whole file or none, however often a worker tries."""
    partial = f"{shard.source}.{uuid.uuid4().hex}"
    with fileio.open(shard.source, "rb") as file:
        stream = pa.ipc.open_stream(file.read())
    with tf.io.TFRecordWriter(partial, _FAST) as writer:
        for batch in stream:
            for example in RecordBatchToExamplesEncoder().encode(batch):
                writer.write(example)
    fileio.rename(partial, shard.target, overwrite=True)
