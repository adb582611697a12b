"""The custom ExampleGen: one snapshot of three tables, written as four splits.

The tables are checked, joined and split as Arrow columns in the executor's process;
Beam's workers encode one shard of rows at a time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
from google.protobuf import struct_pb2
from tfx.components.example_gen.base_example_gen_executor import (
    BaseExampleGenExecutor,
)
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.utils import proto_utils
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from tfx_pipeline import rows, snapshot
from tfx_pipeline.addresses import fetched
from tfx_pipeline.config import CONFIG_KEY, FEATURES_KEY, PipelineConfig
from uvcan_tf import config as settings
from uvcan_tf import features as names
from uvcan_tf.data.tables import read_tables


def example_gen(config: PipelineConfig) -> FileBasedExampleGen:
    """The component: `config.data` in, `Examples` of four splits out."""
    split = example_gen_pb2.SplitConfig.Split
    custom = example_gen_pb2.CustomConfig()
    content = struct_pb2.Struct()
    content.update(config.data_config())
    custom.custom_config.Pack(content)
    return FileBasedExampleGen(
        input_base=config.data,
        output_config=example_gen_pb2.Output(
            split_config=example_gen_pb2.SplitConfig(
                splits=[split(name=n, hash_buckets=1) for n in snapshot.SPLITS]
            )
        ),
        custom_config=custom,
        custom_executor_spec=BeamExecutorSpec(Executor),
    )


class Executor(BaseExampleGenExecutor):
    """Writes `train`, `eval`, `users` and `videos`, and counts what it wrote."""

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:
        """Not used: the splits come from three sources, not from one."""
        raise NotImplementedError

    def GenerateExamplesByBeam(
        self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]
    ) -> dict[str, beam.PCollection]:
        """Serialized examples by split.

        Raises:
          DataError: one sentence on tables that cannot be used.
        """
        custom = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(exec_properties["custom_config"], custom)
        content = struct_pb2.Struct()
        custom.custom_config.Unpack(content)
        features = names.from_json(json.loads(content[FEATURES_KEY]))
        config = settings.from_json(json.loads(content[CONFIG_KEY]))
        folder = fetched(exec_properties["input_base"], self._get_tmp_dir())
        tables = read_tables(folder, features)
        splits = snapshot.splits(tables, features, config.evaluation)
        self._expected = {name: table.num_rows for name, table in splits.items()}
        return {
            name: _encoded(pipeline, name, _spill(table, self._get_tmp_dir(), name))
            for name, table in splits.items()
        }

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the Beam pipeline, then checks that every row was written."""
        super().Do(input_dict, output_dict, exec_properties)
        (examples,) = output_dict["examples"]
        rows.check("ExampleGen", self._expected, rows.count_artifact(examples))
        rows.record(examples, self._expected)


def _spill(table: pa.Table, scratch: str, name: str) -> list[str]:
    """Writes a split's shards where every worker can read them; returns the paths."""
    paths = []
    for number, shard in enumerate(snapshot.shards(table)):
        paths.append(os.path.join(scratch, "shards", f"{name}-{number:05d}.arrow"))
        fileio.makedirs(os.path.dirname(paths[-1]))
        stream = pa.BufferOutputStream()
        with pa.ipc.new_stream(stream, shard.schema) as writer:
            writer.write_batch(shard)
        with fileio.open(paths[-1], "wb") as file:
            file.write(stream.getvalue().to_pybytes())
    return paths


def _encoded(
    pipeline: beam.Pipeline, name: str, paths: list[str]
) -> beam.PCollection[bytes]:
    shards = pipeline | f"Shards[{name}]" >> beam.Create(paths, reshuffle=True)
    return shards | f"Encode[{name}]" >> beam.FlatMap(_examples).with_output_types(
        bytes
    )


def _examples(path: str) -> Iterator[bytes]:
    with fileio.open(path, "rb") as file, pa.ipc.open_stream(file.read()) as reader:
        for batch in reader:
            yield from RecordBatchToExamplesEncoder().encode(batch)
