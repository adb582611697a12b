"""One frame a second of a video file, decoded by PyAV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError, InvalidDataError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from uvcan_tf.errors import DataError

__all__ = ["SIZE", "Image", "frames"]

#: Width and height of what Inception-v3 looks at.
SIZE: Final = 299

Image = npt.NDArray[np.uint8]


def frames(path: str, name: str) -> Iterator[Image]:
    """The first frame of every second, upright, scaled to uint8 [299, 299, 3] in RGB.

    Seconds count from the first frame, by the frames' own timestamps. A second in which
    no frame begins gives none. The whole picture is scaled: nothing is cut off, and the
    ratio of width to height is not kept.

    Args:
      path: of a file on this machine.
      name: the video's name in messages.

    Raises:
      DataError: after the last frame that can be read, if anything is wrong with the
        file; says what.
    """
    second, damage = -1, None
    try:
        with _opened(path, name) as container:
            stream = _video_stream(container, name)
            for moment, frame, problem in _decoded(container, stream):
                damage = damage or problem
                if frame is not None and moment >= second + 1:
                    second = int(moment)
                    yield _upright(frame)
    except DataError:
        raise
    except (FFmpegError, OSError, ValueError) as error:
        damage = error
    if second < 0:
        reason = "it holds none" if damage is None else _reason(damage)
        raise DataError(f"{name} has no frame that can be read: {reason}.")
    if damage is not None:
        raise DataError(
            f"{name} is damaged: {_reason(damage)}. The frames that can be read, up to "
            f"second {second}, were used."
        )


def _opened(path: str, name: str) -> Any:
    if os.path.getsize(path) == 0:
        raise DataError(f"{name} is an empty file.")
    try:
        # Without the protocol, a colon in the file's name would be read as one.
        return av.open(f"file:{path}")
    except InvalidDataError:
        raise DataError(
            f"{name} is not a video, or its index is missing, as where a copy broke "
            "off; copy it again."
        ) from None


def _video_stream(container: Any, name: str) -> VideoStream:
    """The first video stream that is not the cover picture of a recording."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise DataError(f"{name} has no video stream.")


def _decoded(
    container: Any, stream: VideoStream
) -> Iterator[tuple[Fraction, VideoFrame | None, Exception | None]]:
    """Each frame with its second; or what is wrong with a packet that has none."""
    step = 1 / Fraction(stream.guessed_rate or 25)
    first, moment = None, -step
    for packet in container.demux(stream):
        try:
            found = packet.decode()
        except InvalidDataError as error:  # players skip such a packet, too
            yield moment, None, error
            continue
        for frame in found:
            if frame.pts is None or frame.time_base is None:
                moment += step
            else:
                first = frame.pts if first is None else first
                moment = (frame.pts - first) * frame.time_base
            yield moment, frame, None


def _upright(frame: VideoFrame) -> Image:
    scaled = frame.reformat(width=SIZE, height=SIZE, format="rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(scaled, round(frame.rotation / 90)))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).rstrip(".")
