"""The custom ExampleGen: one snapshot of three tables, written as four splits.

Tables that one worker can hold are checked, joined and split as Arrow columns in the
executor's process, and Beam's workers encode and write them. Of larger ones, workers do
all of it, each for a shard of the users: see `sharded`.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
from google.protobuf import struct_pb2
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import proto_utils

from tfx_pipeline import rows, sharded, snapshot
from tfx_pipeline.addresses import fetched, listed
from tfx_pipeline.config import CONFIG_KEY, DAYS_KEY, FEATURES_KEY, PipelineConfig
from tfx_pipeline.example_files import read_table, write_examples, write_table
from tfx_pipeline.shards import Job
from uvcan_tf import config as settings
from uvcan_tf import features as names
from uvcan_tf.data.tables import read_tables


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

    An element of the Beam pipelines is a file, or a batch of rows in Arrow's format:
    Beam's own sources and sinks handle a row in tens of microseconds.
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
        folders = {
            name: artifact_utils.get_split_uri([examples], name)
            for name in snapshot.SPLITS
        }
        for folder in folders.values():
            fileio.makedirs(folder)
        expected = self._write(folders, exec_properties)
        rows.check("ExampleGen", expected, rows.count_artifact(examples))
        rows.record(examples, expected)

    def _write(
        self, folders: dict[str, str], exec_properties: dict[str, Any]
    ) -> dict[str, int]:
        """Writes all splits, and tells how many rows each should have."""
        custom = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(exec_properties["custom_config"], custom)
        content = struct_pb2.Struct()
        custom.custom_config.Unpack(content)
        config = settings.from_json(json.loads(content[CONFIG_KEY]))
        scratch = os.path.join(self._get_tmp_dir(), "shards")
        fileio.makedirs(scratch)
        job = Job(
            address=exec_properties["input_base"],
            scratch=scratch,
            folders=folders,
            features=names.from_json(json.loads(content[FEATURES_KEY])),
            evaluation=config.evaluation,
            remembered=config.recommendation.remembers_likes,
        )
        days = content[DAYS_KEY] if DAYS_KEY in content else ""
        with tempfile.TemporaryDirectory() as here:  # TFX's own lies beside its root
            folder = listed(job.address, here)
            files = sharded.files_of(folder, days)
            if sharded.needed(folder, files):
                return sharded.write(job, folder, files, self._make_beam_pipeline)
            folder = fetched(job.address, here)
            return write_whole(job, folder, days, self._make_beam_pipeline)


def write_whole(
    job: Job, folder: Path, days: str, make: sharded.MakePipeline
) -> dict[str, int]:
    """Does the same as `sharded.write`: all users are one shard of this process.

    Args:
      job: what there is to know of the tables.
      folder: where they are, on this machine.
      days: of the interactions.
      make: makes a pipeline of the runner in use.

    Raises:
      DataError: one sentence on tables that cannot be used.
    """
    tables = read_tables(folder, job.features, days=days)
    splits = snapshot.splits(tables, job.features, job.evaluation, job.remembered)
    files = [
        file for name, table in splits.items() for file in _spilled(job, name, table)
    ]
    with make() as pipeline:
        every = pipeline | "Files" >> beam.Create(files, reshuffle=True)
        _ = every | "Write" >> beam.Map(_encode, job.scratch)
    return {name: table.num_rows for name, table in splits.items()}


class _File(NamedTuple):
    """Rows in Arrow's format, and the file of serialized examples to make of them."""

    source: str
    target: str


def _spilled(job: Job, split: str, table: pa.Table) -> Iterator[_File]:
    """Leaves a split's rows where every worker can read them."""
    batches = list(snapshot.shards(table))
    for number, batch in enumerate(batches):
        source = job.spill(split, number)
        write_table(pa.Table.from_batches([batch]), source)
        yield _File(source, job.target(split, number, len(batches)))


def _encode(file: _File, scratch: str) -> None:
    write_examples(read_table(file.source).to_batches(), file.target, scratch)
