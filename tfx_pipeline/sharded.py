"""ExampleGen as a Beam pipeline from end to end, for tables that no worker can hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import apache_beam as beam
import numpy as np

from tfx_pipeline import rows, shards
from tfx_pipeline.example_files import leave, left, write_table
from tfx_pipeline.shards import TABLES, TOLD, Job
from tfx_pipeline.told import Told, total
from uvcan_tf import features as names
from uvcan_tf.data import pieces
from uvcan_tf.data.files import files_of_table, find_table, groups_of
from uvcan_tf.data.held_out import place_of_moment, report, require_times
from uvcan_tf.errors import DataError
from uvcan_tf.evaluation_settings import RANDOM

#: Pairs of a shard: what a worker holds at once.
PAIRS_A_SHARD: Final = 1 << 20

#: How large the files of the tables may be that one worker reads whole.
_BYTES: Final = 1 << 30
#: About how many bytes of a file hold an interaction, where nothing tells.
_BYTES_A_PAIR: Final = {".parquet": 8, ".gz": 6, ".csv": 20}

Files = Mapping[str, Sequence[Path]]
MakePipeline = Callable[[], beam.Pipeline]


def files_of(folder: Path, days: str) -> dict[str, list[Path]]:
    """By table its file, or its part files; those of interactions are of some days.

    Raises:
      DataError: a table or a day is missing.
    """
    found = {table: find_table(folder, table) for table in TABLES}
    of = {names.INTERACTIONS: days}
    return {t: files_of_table(path, of.get(t, "")) for t, path in found.items()}


def needed(folder: Path, files: Files) -> bool:
    """Whether the tables are larger than one shard, so that workers share the work."""
    own = [*folder.glob("*.npy"), *(file for t in TABLES for file in files[t])]
    size = sum(file.stat().st_size for file in own)
    return size > _BYTES or sum(map(_pairs, files[names.INTERACTIONS])) > PAIRS_A_SHARD


def _pairs(file: Path) -> int:
    """About how many rows a file of interactions has."""
    try:
        counted = sum(rows for rows, _ in groups_of(file))
    except DataError:  # not readable, or elsewhere and only listed here
        counted = 0
    return counted or file.stat().st_size // _BYTES_A_PAIR[file.suffix]


def write(
    job: Job,
    folder: Path,
    files: Files,
    make: MakePipeline,
    pairs_a_shard: int | None = None,
) -> dict[str, int]:
    """Reads, checks, splits and writes the tables in shards.

    Args:
      job: what workers have to know.
      folder: the tables', or one with files of the same names.
      files: by table its file, or its part files in order.
      make: makes a pipeline of the runner in use.
      pairs_a_shard: how many interactions a shard has on average.

    Returns:
      How many rows each split should have now.

    Raises:
      DataError: one sentence on tables that cannot be used.
      RowCountError: Beam's runner lost rows or invented some.
    """
    layouts = _layouts(job, folder, files, make)
    wanted = -(-layouts[names.INTERACTIONS].rows // (pairs_a_shard or PAIRS_A_SHARD))
    job = dataclasses.replace(job, layouts=layouts, shards=wanted)
    told = _shuffle(job, make)
    told.require()
    expected = {table: layout.rows for table, layout in layouts.items()}
    rows.check("ExampleGen", expected, told.rows)
    counts = _held_out(job, told, make).counts
    with make() as pipeline:
        every = pipeline | "Shards" >> beam.Create(told.shards, reshuffle=True)
        _ = every | "Write" >> beam.Map(shards.write, job)
    return {
        names.TRAIN: counts.train,
        names.EVAL: counts.test,
        names.USERS: expected[names.USERS],
        names.VIDEOS: expected[names.VIDEOS],
    }


def _layouts(
    job: Job,
    folder: Path,
    files: Files,
    make: MakePipeline,
) -> dict[str, pieces.Layout]:
    """How each table is read."""
    tasks = [
        (table, path.relative_to(folder).as_posix())
        for table in TABLES
        for path in files[table]
    ]
    numbered = [(number, *task) for number, task in enumerate(tasks)]
    with make() as pipeline:
        every = pipeline | "Files" >> beam.Create(numbered, reshuffle=True)
        _ = every | "Survey" >> beam.Map(shards.survey, job)
    found = [left(job.spill("survey", number)) for number in range(len(tasks))]
    for sentence in found:
        if isinstance(sentence, str):
            raise DataError(sentence)
    layouts = {}
    for table in TABLES:
        own = [one for one, task in zip(found, tasks, strict=True) if task[0] == table]
        parts = files[table]
        layouts[table] = pieces.laid_out(folder, table, parts, own, job.features)
    return layouts


def _shuffle(job: Job, make: MakePipeline) -> Told:
    """Reads every piece and leaves the rows of each shard."""
    tasks = [(table, p) for table in TABLES for p in job.layouts[table].pieces]
    with make() as pipeline:
        every = pipeline | "Pieces" >> beam.Create(tasks, reshuffle=True)
        read = every | "Read" >> beam.ParDo(shards.Read(job)).with_outputs(
            names.VIDEOS, TOLD, main="batches"
        )
        videos = beam.pvalue.AsList(read[names.VIDEOS])
        gathered = (
            read["batches"]
            | "ByUser" >> beam.GroupByKey()
            | "Gather" >> beam.Map(shards.gather, videos, job)
        )
        once = pipeline | "Once" >> beam.Create([None])
        checked = once | "Videos" >> beam.Map(shards.check_videos, videos, job)
        _leave_total([read[TOLD], gathered, checked], job)
    told: Told = left(job.spill(TOLD, 0))
    return told


def _held_out(job: Job, told: Told, make: MakePipeline) -> Told:
    """What workers tell that know, or are told now, which rows they hold out."""
    if job.evaluation.split != RANDOM:
        always = (names.USER_ID, names.VIDEO_ID, names.LABEL)
        columns = dict.fromkeys([*always, *job.layouts[names.INTERACTIONS].columns])
        require_times(list(columns), told.without_time)
    if job.seeks_moment:
        job = dataclasses.replace(job, moment=_moment(job, told, make))
        told = told + _over("HoldOut", job, make, told.shards, shards.hold_out, job)
    counts = told.counts
    split = {names.INTERACTIONS: counts.train + counts.test + counts.left_out}
    rows.check("ExampleGen", {names.INTERACTIONS: told.pairs}, split)
    report(counts, job.evaluation, job.since)  # raises where nothing is held out
    write_table(told.likes[0], job.spill("likes", 0))
    return told


def _moment(job: Job, told: Told, make: MakePipeline) -> int:
    """The moment from which on a share of all rows is held out.

    It is found in two steps: workers count rows by time cut to about an hour, and then
    by exact time within the hour that has it.
    """
    around, place = _at(told.times, place_of_moment(told.pairs, job.evaluation))
    exact = _over("Times", job, make, told.shards, shards.count_times, job, around)
    return _at(exact.times, place)[0]


def _at(counts: Mapping[int, int], place: int) -> tuple[int, int]:
    """What stands at a place among sorted values, and at which place of its equals."""
    values = sorted(counts)
    ends = np.cumsum([counts[value] for value in values])
    found = int(np.searchsorted(ends, place, side="right"))
    return values[found], place - int(ends[found - 1] if found else 0)


def _over(
    name: str,
    job: Job,
    make: MakePipeline,
    numbers: Sequence[int],
    work: Callable[..., Told],
    *given: Any,
) -> Told:
    """What workers tell of all shards."""
    with make() as pipeline:
        every = pipeline | "Shards" >> beam.Create(numbers, reshuffle=True)
        _leave_total([every | name >> beam.Map(work, *given)], job)
    told: Told = left(job.spill(TOLD, 0))
    return told


def _leave_total(every: Iterable[beam.PCollection], job: Job) -> None:
    """Leaves the sum of what workers tell where the process that asked reads it."""
    _ = (
        list(every)
        | "Every" >> beam.Flatten()
        | "Total" >> beam.CombineGlobally(total)
        | "Leave" >> beam.Map(leave, job.spill(TOLD, 0))
    )
