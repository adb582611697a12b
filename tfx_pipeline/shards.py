"""What Beam's workers do in ExampleGen where one of them cannot hold the tables.

A shard has all rows of some users, chosen by a hash of their ids. What is done with its
rows is done by the functions of `snapshot`, as for whole tables.
"""

from __future__ import annotations

import collections
import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tfx_pipeline import addresses, snapshot
from tfx_pipeline.batches import PLACE, Batch, by_shard, joined, light, places, spilled
from tfx_pipeline.example_files import (
    leave,
    read_table,
    write_examples,
    write_table,
)
from tfx_pipeline.told import Told
from uvcan_tf import features as names
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data import pieces, problems
from uvcan_tf.data.held_out import split_users
from uvcan_tf.data.pairs import once
from uvcan_tf.data.pieces import Layout, Piece
from uvcan_tf.data.problems import Problems
from uvcan_tf.data.surveys import Survey
from uvcan_tf.data.surveys import survey as survey_file
from uvcan_tf.errors import DataError
from uvcan_tf.evaluation_settings import RANDOM, TIME
from uvcan_tf.features import Features

#: In the order in which they are read, and their mistakes told.
TABLES: Final = (names.INTERACTIONS, names.USERS, names.VIDEOS)
TOLD: Final = "told"
_BITS: Final = 22  # about 70 minutes in milliseconds
_TRAIN, _TEST = names.TRAIN, "test"


@dataclasses.dataclass(frozen=True)
class Job:
    """What all workers have to know.

    Attributes:
      address: of the tables.
      scratch: where workers leave files for each other.
      folders: where the examples of each split go.
      features: the declaration.
      evaluation: what is held out.
      remembered: see `snapshot.splits`.
      shards: how many there are.
      layouts: of the tables, once their files have been surveyed.
      moment: from which on rows are held out, where it had to be found.
    """

    address: str
    scratch: str
    folders: Mapping[str, str]
    features: Features
    evaluation: EvaluationConfig
    remembered: bool
    shards: int = 1
    layouts: Mapping[str, Layout] = dataclasses.field(default_factory=dict)
    moment: int | None = None

    def spill(self, kind: str, number: int) -> str:
        """The file that a worker leaves of a shard."""
        return os.path.join(self.scratch, f"{kind}-{number:05d}")

    def target(self, split: str, number: int, count: int) -> str:
        """The file of examples of one piece or shard."""
        name = f"data_tfrecord-{number:05d}-of-{count:05d}.gz"
        return os.path.join(self.folders[split], name)

    @property
    def seeks_moment(self) -> bool:
        """Whether the moment of a split in time is that of a share of the rows."""
        return self.evaluation.split == TIME and self.evaluation.split_at is None

    @property
    def since(self) -> int | None:
        """The moment from which on rows are held out, if there is one."""
        return self.moment if self.seeks_moment else self.evaluation.split_at


def survey(task: tuple[int, str, str], job: Job) -> None:
    """Leaves the survey of a file, or the sentence on what is wrong with it."""
    number, table, name = task
    found: Survey | str
    try:
        with addresses.local_files(job.address, [name]) as folder:
            found = survey_file(folder / name, table, job.features)
    except DataError as error:
        found = str(error)
    leave(found, job.spill("survey", number))


class Read(beam.DoFn):
    """Reads a piece of a table, and writes it where it needs no other.

    Gives batches of interactions and of users' light attributes by shard, those of
    videos as the output `videos`, and what there is to tell as `told`.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, task: tuple[str, Piece]) -> Iterator[Any]:
        """One piece of a table."""
        table, piece = task
        try:
            rows = self._rows(table, piece)
        except DataError as error:
            failure = (TABLES.index(table), piece.number, str(error))
            yield beam.pvalue.TaggedOutput(TOLD, Told(failures=(failure,)))
            return
        if table != names.INTERACTIONS:
            self._write(rows, table, piece)
            told = Told(rows=collections.Counter({table: rows.num_rows}))
            yield beam.pvalue.TaggedOutput(TOLD, told)
            rows = rows.select(light(table, self._job.features).names)
        place = piece.start + np.arange(rows.num_rows)
        rows = rows.append_column(PLACE, pa.array(place))
        path = self._job.spill(f"batches-of-{table}", piece.number)
        if table == names.VIDEOS:
            for batch in spilled([rows], table, piece.number, path):
                yield beam.pvalue.TaggedOutput(names.VIDEOS, batch)
            return
        numbers, some = zip(*by_shard(rows, self._job.shards), strict=True)
        yield from zip(numbers, spilled(some, table, piece.number, path), strict=True)

    def _rows(self, table: str, piece: Piece) -> pa.Table:
        layout = self._job.layouts[table]
        wanted = [piece.file, *layout.vectors.values()]
        with addresses.local_files(self._job.address, wanted) as folder:
            return pieces.read_piece(layout, piece, folder, self._job.features)

    def _write(self, rows: pa.Table, table: str, piece: Piece) -> None:
        count = len(self._job.layouts[table].pieces)
        target = self._job.target(table, piece.number, count)
        write_examples(snapshot.shards(rows), target, self._job.scratch)


def check_videos(_: None, videos: Sequence[Batch], job: Job) -> Told:
    """Tells of repeated ids."""
    rows = joined(videos, names.VIDEOS, job.features)
    found = problems.of_ids(rows[names.VIDEO_ID], places(rows))
    return Told(problems=Problems(videos=found))


def gather(
    shard: tuple[int, Iterable[Batch]], videos: Sequence[Batch], job: Job
) -> Told:
    """Leaves a shard's interactions with the attributes of both sides, and checks."""
    number, batches = shard
    batches = list(batches)
    users = joined(batches, names.USERS, job.features)
    repeated = problems.of_ids(users[names.USER_ID], places(users))
    told = Told(problems=Problems(users=repeated))
    pairs = joined(batches, names.INTERACTIONS, job.features)
    if not pairs.num_rows:
        return told
    arrived = collections.Counter({names.INTERACTIONS: pairs.num_rows})
    place, pairs = places(pairs), pairs.drop([PLACE])
    if job.layouts[names.INTERACTIONS].days:
        pairs, place = once(pairs, place)
    every = joined(videos, names.VIDEOS, job.features)
    found = problems.of_interactions(pairs, users, every, place)
    rows = snapshot.join(pairs, users, every, job.features)
    write_table(rows, job.spill("rows", number))
    told += Told(problems=found, rows=arrived, pairs=rows.num_rows, shards=(number,))
    return told + _parted(rows, number, job)


def _parted(rows: pa.Table, number: int, job: Job) -> Told:
    """Holds out rows of a shard, or tells what keeps it from that for now."""
    if job.evaluation.split == RANDOM:
        return _held_out(rows, number, job)
    if names.TIMESTAMP not in rows.column_names:
        return Told()
    if nulls := rows[names.TIMESTAMP].null_count:
        return Told(without_time=nulls)
    if job.seeks_moment:
        return Told(times=_counted(_times(rows) >> _BITS))
    return _held_out(rows, number, job)


def count_times(number: int, job: Job, around: int) -> Told:
    """Counts a shard's rows by time, among those with the same time but for the cut."""
    times = _times(read_table(job.spill("rows", number)))
    return Told(times=_counted(times[times >> _BITS == around]))


def hold_out(number: int, job: Job) -> Told:
    """Leaves which rows of a shard are held out, now that the moment is known."""
    return _held_out(read_table(job.spill("rows", number)), number, job)


def _held_out(rows: pa.Table, number: int, job: Job) -> Told:
    train, test, counts = split_users(rows, job.evaluation, job.since)
    write_table(pa.table({_TRAIN: train, _TEST: test}), job.spill("held", number))
    likes = snapshot.likes_of_groups(rows, train, job.features)
    return Told(counts=counts, likes=(likes,))


def write(number: int, job: Job) -> None:
    """Writes a shard's rows of `train` and of `eval`."""
    rows = read_table(job.spill("rows", number))
    held = read_table(job.spill("held", number))
    parts = snapshot.written(
        rows,
        np.asarray(held[_TRAIN]),
        np.asarray(held[_TEST]),
        read_table(job.spill("likes", 0)),
        job.features,
        job.evaluation,
        job.remembered,
    )
    for split, table in zip((names.TRAIN, names.EVAL), parts, strict=True):
        if table.num_rows:
            target = job.target(split, number, job.shards)
            write_examples(snapshot.shards(table), target, job.scratch)


def _times(rows: pa.Table) -> npt.NDArray[np.int64]:
    return np.asarray(rows[names.TIMESTAMP], np.int64)


def _counted(values: npt.NDArray[np.int64]) -> collections.Counter[int]:
    found, counts = np.unique(values, return_counts=True)
    return collections.Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
