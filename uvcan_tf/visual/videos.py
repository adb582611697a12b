"""Which file is which video's."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from uvcan_tf.data.columns import ids
from uvcan_tf.data.files import read_columns
from uvcan_tf.errors import DataError
from uvcan_tf.features import VIDEO_ID

__all__ = ["Video", "find_videos"]

_PATH: Final = "path"


@dataclasses.dataclass(frozen=True)
class Video:
    """A video's file as it is now.

    Attributes:
      id: of the tables.
      path: absolute.
      stamp: size and time of the last change; another one means another content.
    """

    id: str
    path: str
    stamp: str


def find_videos(where: Path, known: Collection[str]) -> list[Video]:
    """The files of known videos, by id.

    Args:
      where: a folder, in which a file of any depth is named by its video's id; or a
        table, CSV or Parquet, of the columns `video_id` and `path`. Paths that are not
        absolute begin at the table's folder.
      known: the ids of the tables; files of other videos are left out.

    Raises:
      DataError: there is no file of any known video, or a video has two.
    """
    if not where.exists():
        raise DataError(
            f"--videos {where} should be a folder or a list. It is missing."
        )
    found: dict[str, Path] = {}
    named = list(_in_folder(where) if where.is_dir() else _in_list(where))
    for name, path in named:
        if name not in known:
            continue
        if name in found:
            raise DataError(
                f"{where} should have one file of each video; leave one of them out. "
                f"Received: {found[name]} and {path} of '{name}'."
            )
        found[name] = path
    if not found:
        raise DataError(
            f"{where} should have files of the videos in the tables, named by their "
            f"{VIDEO_ID}. Received: {len(named)} files, of no video in the tables."
        )
    return [
        Video(name, str(found[name]), _stamp(found[name])) for name in sorted(found)
    ]


def _in_folder(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.absolute().rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.stem, path


def _in_list(path: Path) -> Iterator[tuple[str, Path]]:
    table = read_columns(path, [VIDEO_ID, _PATH], [])
    columns = [
        ids(f"{path.name}, column '{n}'", table[n], n) for n in (VIDEO_ID, _PATH)
    ]
    for name, file in zip(*(column.to_pylist() for column in columns), strict=True):
        yield name, path.absolute().parent / file


def _stamp(path: Path) -> str:
    """A missing file has a stamp, too: reading it gives the reason."""
    try:
        status = path.stat()
    except OSError as error:
        return str(error.strerror)
    return f"{status.st_size}-{status.st_mtime_ns}"
