"""ExampleGen on larger worlds: in one process, and in shards on one and two workers.

Every measurement is a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import growth
from benchmarks.results import Figure, of_process
from tfx_pipeline.memory import peak_mb
from uvcan_tf import features as names
from uvcan_tf.data.sources.planted_world import Size
from uvcan_tf.features import PAPER, Dense, Features

WHOLE: Final = "in_process"
#: What Beam's runner is told in each way of the measurement.
WAYS: Final[dict[str, tuple[str, ...]]] = {
    WHOLE: (),
    "one_worker": ("--direct_running_mode=in_memory", "--direct_num_workers=1"),
    "two_workers": ("--direct_running_mode=multi_processing", "--direct_num_workers=2"),
}
_RUNNER: Final = (
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--sdk_container_image=none",
)
_ROWS_A_PART: Final = 1 << 20
_VECTORS_A_PART: Final = 1 << 15
_FIRST_MS: Final = 1_649_505_600_000
_WHO: Final = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def measure(folder: Path, size: str) -> Iterator[dict[str, Figure]]:
    """One size in every way, the next one once the last is done."""
    tables = folder / size
    if not tables.exists():
        write_tables(tables, growth.WORLDS[size])
    for way in WAYS:
        found = of_process("benchmarks.shards", str(tables), way)
        yield {f"example_gen_{size}_{way}_{k}": Figure(**f) for k, f in found.items()}


def declaration(size: Size) -> Features:
    """The paper's features with shorter vectors."""
    *others, visual = PAPER.video
    vector = Dense(visual.name, size.visual_length)
    return dataclasses.replace(PAPER, video=(*others, vector))


def write_tables(folder: Path, size: Size) -> None:
    """Part files of all three tables; every part of interactions has all users."""
    gender, location = (feature.name for feature in PAPER.user)
    author, music, tags, visual = (feature.name for feature in PAPER.video)
    for number, user in enumerate(_cut(size.users, _ROWS_A_PART)):
        columns = {
            names.USER_ID: _texts("u", user),
            gender: _texts("g", user % 2),
            location: _texts("place", user % size.locations),
        }
        _write(folder / names.USERS, number, columns)
    for number, video in enumerate(_cut(size.videos, _VECTORS_A_PART)):
        vectors = np.random.default_rng(number).standard_normal(
            (len(video), size.visual_length), np.float32
        )
        columns = {
            names.VIDEO_ID: _texts("v", video),
            author: _texts("a", video % size.authors),
            music: _texts("m", video % size.music),
            tags: pa.array([[f"t{v % size.tags}"] for v in video.tolist()]),
            visual: pa.array(list(vectors)),
        }
        _write(folder / names.VIDEOS, number, columns)
    for number, like in enumerate(_cut(size.likes, _ROWS_A_PART)):
        turn, user = np.divmod(like, size.users)
        columns = {
            names.USER_ID: _texts("u", user),
            names.VIDEO_ID: _texts("v", (user * 7919 + turn * 101) % size.videos),
            names.TIMESTAMP: pa.array(_FIRST_MS + like),
        }
        _write(folder / names.INTERACTIONS, number, columns)


def _cut(rows: int, most: int) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, rows, most):
        yield np.arange(start, min(start + most, rows))


def _texts(start: str, numbers: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(np.char.add(start, numbers.astype(str)))


def _write(folder: Path, number: int, columns: dict[str, pa.Array]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / f"part-{number:05d}.parquet")


def _measure_here(tables: Path, way: str) -> dict[str, Figure]:
    import tempfile

    import apache_beam as beam

    from tfx_pipeline import example_gen, sharded, snapshot
    from tfx_pipeline.shards import Job
    from uvcan_tf.config import EvaluationConfig

    size = growth.WORLDS[tables.name]
    files = sharded.files_of(tables, "")
    with tempfile.TemporaryDirectory(dir=tables.parent) as scratch:
        folders = {split: f"{scratch}/{split}" for split in snapshot.SPLITS}
        for split in folders.values():
            Path(split).mkdir()
        job = Job(
            *(str(tables), scratch, folders, declaration(size), EvaluationConfig()),
            remembered=True,
        )

        def make() -> beam.Pipeline:
            return beam.Pipeline(argv=[*_RUNNER, *(WAYS[way] or WAYS["one_worker"])])

        imported, start = _cpu_s(), time.perf_counter()
        with _watched() as peaks:
            if way == WHOLE:
                example_gen.write_whole(job, tables, "", make)
            else:
                sharded.write(job, tables, files, make)
        wall, cpu = time.perf_counter() - start, _cpu_s() - imported
    figures = {
        "pairs_per_cpu_s": Figure(size.likes / cpu, "pairs/s"),
        "wall_s": Figure(wall, "s"),
        "process_mb": Figure(peak_mb(), "MB"),
    }
    if peaks:
        figures["worker_mb"] = Figure(max(peaks.values()), "MB")
    return figures


@contextlib.contextmanager
def _watched() -> Iterator[dict[int, float]]:
    """Gives the peaks of memory, in MB by number, of the processes started within."""
    peaks: dict[int, float] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            for worker in _started_by(os.getpid()):
                with contextlib.suppress(OSError, StopIteration):
                    status = Path(f"/proc/{worker}/status").read_text("ascii")
                    lines = status.splitlines()
                    line = next(line for line in lines if line.startswith("VmHWM"))
                    peaks[worker] = int(line.split()[1]) / 1024

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        ended.set()
        thread.join()


def _started_by(process: int) -> Iterator[int]:
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, file.read_text("ascii").split()):
                yield child
                yield from _started_by(child)


def _cpu_s() -> float:
    """Of this process and of workers that have ended."""
    used = [resource.getrusage(who) for who in _WHO]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    found = _measure_here(Path(sys.argv[1]), sys.argv[2])
    print(json.dumps({key: dataclasses.asdict(f) for key, f in found.items()}))
