"""A vector of each video, written beside the tables that training reads.

Shapes: V videos of the table, L components.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from uvcan_tf.data.files import columns_of, find_table
from uvcan_tf.data.folder import whole_folder
from uvcan_tf.data.held_out import split_interactions
from uvcan_tf.data.tables import Tables, read_tables
from uvcan_tf.errors import DataError
from uvcan_tf.evaluation_settings import EvaluationConfig
from uvcan_tf.features import (
    FEATURES_FILE,
    VIDEO_ID,
    VIDEOS,
    Dense,
    Features,
    of_folder,
)

__all__ = ["TablesWithout", "read", "training_videos", "write"]


@dataclasses.dataclass(frozen=True)
class TablesWithout:
    """The tables of a folder, whether the vectors are there yet or not.

    Attributes:
      folder: of the tables.
      column: of the vectors.
      features: the declaration without the column.
      declared: the column's length in the declaration, if it is declared.
      tables: without the column.
    """

    folder: Path
    column: str
    features: Features
    declared: int | None
    tables: Tables

    @property
    def video_ids(self) -> list[str]:
        """The ids in the table's order [V]."""
        return self.tables.videos[VIDEO_ID].to_pylist()


def read(folder: Path, column: str) -> TablesWithout:
    """Reads and checks the tables, all but the vectors.

    Raises:
      DataError: the tables cannot be used, or have the column themselves.
      DeclarationError: the column is declared, but not as vectors.
    """
    if Path(column).name != column:
        raise DataError(
            "--column should be the name of a column, and of a file. Received: "
            f"{column!r}."
        )
    features = of_folder(folder)
    declared: Any = next((f for f in features.video if f.column == column), None)
    if declared is not None and not isinstance(declared, Dense):
        raise DataError(
            f"{folder / FEATURES_FILE}: '{column}' should be declared with a `length`, "
            "or not at all. Received: another kind; choose another --column."
        )
    table = find_table(folder, VIDEOS)
    if column in columns_of(table):
        raise DataError(
            f"{table.name} has the column '{column}', which would be read instead of "
            f"{column}.npy; remove it, or choose another --column."
        )
    others = tuple(f for f in features.video if f is not declared)
    features = dataclasses.replace(features, video=others)
    length = declared.length if declared else None
    return TablesWithout(
        folder, column, features, length, read_tables(folder, features)
    )


def training_videos(tables: Tables, evaluation: EvaluationConfig) -> set[str]:
    """Ids of the videos in the interactions that training may know."""
    train = split_interactions(tables.interactions, evaluation).train
    return set(np.asarray(tables.interactions[VIDEO_ID], object)[train])


def write(
    tables: TablesWithout, rows: Sequence[int], vectors: npt.NDArray[np.float32]
) -> Path:
    """Writes `<column>.npy` and, where its length is not declared yet, declares it.

    Args:
      tables: to which the vectors belong.
      rows: of the videos that have a vector; the others' rows are zero, which every
        reader takes as missing.
      vectors: float32 [*, L].
    """
    length = vectors.shape[1]
    every = np.zeros((tables.tables.videos.num_rows, length), np.float32)
    every[list(rows)] = vectors
    with whole_folder(tables.folder) as partial:
        np.save(partial / f"{tables.column}.npy", every)
        if tables.declared != length:
            declared = _declared(tables, length).to_json()
            text = json.dumps(declared, indent=2) + "\n"
            (partial / FEATURES_FILE).write_text(text, encoding="utf-8")
    return tables.folder / f"{tables.column}.npy"


def _declared(tables: TablesWithout, length: int) -> Features:
    """The declaration with the column, at its place or at the end."""
    found = of_folder(tables.folder)
    vector = Dense(tables.column, length)
    video = [vector if f.column == tables.column else f for f in found.video]
    if vector not in video:
        video.append(vector)
    return dataclasses.replace(found, video=tuple(video))
