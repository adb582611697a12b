"""Files of videos to vectors beside their tables: the steps in their order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from uvcan_tf.evaluation_settings import EvaluationConfig
from uvcan_tf.visual import pca as pcas
from uvcan_tf.visual import vectors
from uvcan_tf.visual.network import WIDTH
from uvcan_tf.visual.pca import Pca
from uvcan_tf.visual.pipeline import embed_all
from uvcan_tf.visual.store import Kept, Store
from uvcan_tf.visual.videos import Video, find_videos
from uvcan_tf.visual.weights import fingerprint, read_weights

__all__ = ["Done", "Job", "run"]

#: What the paper keeps.
COMPONENTS: Final = 1024


@dataclasses.dataclass(frozen=True)
class Job:
    """What is asked for.

    Args:
      videos: a folder or a list; see `find_videos`.
      tables: the folder of the tables.
      weights: a file of the network's weights.
      frames: a folder, where activations are kept.
      column: of the vectors.
      components: of the PCA; None is what is declared, or what the PCA has.
      refit: fit the PCA anew.
      evaluation: tells training videos from others.
      beam_args: of the Beam runner.
    """

    videos: Path
    tables: Path
    weights: Path
    frames: Path
    column: str
    components: int | None
    refit: bool
    evaluation: EvaluationConfig
    beam_args: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Done:
    """What was made.

    Attributes:
      file: of the vectors.
      pca: of the vectors.
      fitted: whether the PCA is new.
      videos: how many the tables have.
      with_vector: how many of them have a vector.
      broken: what is wrong with files that gave no frame.
      damaged: what is wrong with files that gave some.
      without_file: how many videos of the tables have no file.
    """

    file: Path
    pca: Pca
    fitted: bool
    videos: int
    with_vector: int
    broken: list[str]
    damaged: list[str]
    without_file: int


def run(job: Job) -> Done:
    """Embeds new videos, fits or loads the PCA, and writes the vectors.

    Raises:
      UvcanError: one sentence on what cannot be used.
    """
    tables = vectors.read(job.tables, job.column)
    row_of = {name: row for row, name in enumerate(tables.video_ids)}
    videos = find_videos(job.videos, row_of.keys())
    digest = fingerprint(read_weights(job.weights))
    store = Store(job.frames / digest)
    store.folder.mkdir(parents=True, exist_ok=True)  # before hours of work
    embed_all(videos, job.weights, store, job.beam_args)
    kept = store.kept(videos)
    some = [video for video in videos if kept[video.id].frames]
    pca, fitted = _pca(job, tables, some, store, digest)
    rows, found = _vectors(some, store, pca, row_of)
    if fitted:  # before the vectors: a kill between leaves the old ones complete
        pca.save(pcas.file_of(job.tables, job.column))
    return Done(
        vectors.write(tables, rows, found),
        pca,
        fitted,
        len(row_of),
        len(rows),
        _reasons(kept, broken=True),
        _reasons(kept, broken=False),
        len(row_of) - len(videos),
    )


def _pca(
    job: Job,
    tables: vectors.TablesWithout,
    videos: Sequence[Video],
    store: Store,
    digest: str,
) -> tuple[Pca, bool]:
    """The PCA that lies beside the tables, if it fits; or a new one."""
    path = pcas.file_of(job.tables, job.column)
    if path.exists() and not job.refit:
        found = pcas.load(path)
        if found.weights == digest and job.components in (None, found.length):
            return found, False
    train = vectors.training_videos(tables.tables, job.evaluation)
    known = [video for video in videos if video.id in train]
    components = job.components or tables.declared or COMPONENTS
    fitted = pcas.fit(store.activations(known, WIDTH), components)
    return dataclasses.replace(fitted, weights=digest), True


def _vectors(
    videos: Sequence[Video], store: Store, pca: Pca, row_of: dict[str, int]
) -> tuple[list[int], npt.NDArray[np.float32]]:
    """Rows of the table, and means of whitened frames: those of means, whitened."""
    rows: list[int] = []
    found = [np.zeros((0, pca.length), np.float32)]
    for names, means in store.means(videos):
        rows += [row_of[name] for name in names]
        found.append(pca(means))
    return rows, np.concatenate(found)


def _reasons(kept: dict[str, Kept], broken: bool) -> list[str]:
    return [
        video.reason
        for _, video in sorted(kept.items())
        if video.reason is not None and broken != bool(video.frames)
    ]
