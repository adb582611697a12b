"""Videos to the activations of their frames.

Shapes: F frames of a video, D the network's width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from uvcan_tf.errors import DataError
from uvcan_tf.visual.frames import Image, frames
from uvcan_tf.visual.network import WIDTH, Network
from uvcan_tf.visual.store import Row, mean
from uvcan_tf.visual.videos import Video

__all__ = ["embedded", "mean_of"]

#: Frames that the network sees at once, of one video or several.
_BATCH: Final = 32


def mean_of(path: Path, activations: Network) -> npt.NDArray[np.float32]:
    """What a SavedModel makes a new video's vector of: float32 [D].

    Raises:
      DataError: no frame of the file can be read.
    """
    [row] = embedded([Video(path.stem, str(path), "")], activations)
    if not len(row.activations):
        raise DataError(row.reason)
    return mean(row.activations)


def embedded(videos: Sequence[Video], activations: Network) -> list[Row]:
    """Decodes the videos and batches their frames across them."""
    found: list[list[Any]] = [[] for _ in videos]
    reasons: list[str | None] = [None] * len(videos)
    images: list[Image] = []
    owners: list[int] = []

    def flush() -> None:
        if images:
            for owner, row in zip(owners, activations(np.stack(images)), strict=True):
                found[owner].append(row)
        images.clear()
        owners.clear()

    for number, video in enumerate(videos):
        try:
            for image in frames(video.path, Path(video.path).name):
                images.append(image)
                owners.append(number)
                if len(images) == _BATCH:
                    flush()
        except DataError as error:
            reasons[number] = str(error)
    flush()
    return [
        Row(video, np.reshape(np.asarray(rows, np.float32), (-1, WIDTH)), reason)
        for video, rows, reason in zip(videos, found, reasons, strict=True)
    ]
