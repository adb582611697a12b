"""Activations of frames, kept in files of a few videos each.

Shapes: F frames of a video, D the network's width.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from uvcan_tf.features import VIDEO_ID
from uvcan_tf.visual.videos import Video

__all__ = ["Kept", "Row", "Store", "mean"]

Array = npt.NDArray[np.float32]

_STAMP: Final = "stamp"
_FRAMES: Final = "frames"
_REASON: Final = "reason"
_MEAN: Final = "mean"
_ACTIVATIONS: Final = "activations"
_SCHEMA: Final = pa.schema(
    [
        (VIDEO_ID, pa.string()),
        (_STAMP, pa.string()),
        (_FRAMES, pa.int64()),
        (_REASON, pa.string()),
        (_MEAN, pa.list_(pa.float32())),
        (_ACTIVATIONS, pa.list_(pa.float32())),
    ]
)


@dataclasses.dataclass(frozen=True)
class Row:
    """What is kept of a video.

    Attributes:
      video: the file that was read.
      activations: float32 [F, D]; of no frame where the file is broken.
      reason: what is wrong with the file, if anything is.
    """

    video: Video
    activations: Array
    reason: str | None


@dataclasses.dataclass(frozen=True)
class Kept:
    """What is known of a video without its activations."""

    frames: int
    reason: str | None


class Store:
    """A folder of Parquet files, written whole; one for each network.

    What a file says of a video counts as long as the video's file is the same.

    Args:
      folder: created with the first file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path_of(self, videos: Iterable[Video]) -> Path:
        """Where these videos are kept, if they are kept together."""
        text = "\n".join(f"{video.id}\n{video.stamp}" for video in videos)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.parquet"

    def write(self, rows: Sequence[Row]) -> None:
        """Keeps rows in a file of their own, which appears whole or not at all."""
        path = self.path_of(row.video for row in rows)
        self.folder.mkdir(parents=True, exist_ok=True)
        columns = {
            VIDEO_ID: [row.video.id for row in rows],
            _STAMP: [row.video.stamp for row in rows],
            _FRAMES: [len(row.activations) for row in rows],
            _REASON: [row.reason for row in rows],
            _MEAN: [
                mean(row.activations) if len(row.activations) else [] for row in rows
            ],
            _ACTIVATIONS: [row.activations.reshape(-1) for row in rows],
        }
        partial = path.with_suffix(".partial")
        pq.write_table(pa.table(columns, _SCHEMA), partial)
        os.replace(partial, path)

    def kept(self, videos: Iterable[Video]) -> dict[str, Kept]:
        """What is known already, by id."""
        found: dict[str, Kept] = {}
        for table in self._tables(videos, (_FRAMES, _REASON)):
            columns = (table[n].to_pylist() for n in (VIDEO_ID, _FRAMES, _REASON))
            for name, frames, reason in zip(*columns, strict=True):
                found[name] = Kept(frames, reason)
        return found

    def means(self, videos: Iterable[Video]) -> Iterator[tuple[list[str], Array]]:
        """(ids [R], means over their frames [R, D]) of videos that have a frame."""
        for table in self._tables(videos, (_MEAN,)):
            some = table.filter(pc.greater(pc.list_value_length(table[_MEAN]), 0))
            if some.num_rows:
                values = _flat(some[_MEAN]).reshape(some.num_rows, -1)
                yield some[VIDEO_ID].to_pylist(), values

    def activations(self, videos: Iterable[Video], width: int) -> Iterator[Array]:
        """Activations [*, D] of all frames of the videos, in batches."""
        for table in self._tables(videos, (_ACTIVATIONS,)):
            yield _flat(table[_ACTIVATIONS]).reshape(-1, width)

    def _tables(
        self, videos: Iterable[Video], columns: Collection[str]
    ) -> Iterator[pa.Table]:
        """Rows of these videos as their files are now, each once, file by file."""
        wanted = {video.id: video.stamp for video in videos}
        for path in sorted(self.folder.glob("*.parquet")):
            table = pq.read_table(path, columns=[VIDEO_ID, _STAMP, *columns])
            pairs = zip(
                *(table[n].to_pylist() for n in (VIDEO_ID, _STAMP)), strict=True
            )
            rows = []
            for row, (name, stamp) in enumerate(pairs):
                if wanted.get(name) == stamp:
                    del wanted[name]
                    rows.append(row)
            if rows:
                yield table.take(rows)


def mean(activations: Array) -> Array:
    """Of frames [F, D]: [D]."""
    return activations.mean(axis=0, dtype=np.float64).astype(np.float32)


def _flat(column: pa.ChunkedArray) -> Array:
    return column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
