"""Small video files, written by PyAV: the tests need no other program."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

MILLISECOND = Fraction(1, 1000)
#: Brightness of the picture in a second: far enough apart for any codec.
STEP = 40

Picture = npt.NDArray[np.uint8]


def grey(level: int, width: int = 64, height: int = 48) -> Picture:
    return np.full((height, width, 3), level, np.uint8)


def seconds(count: int, rate: int = 10, width: int = 64, height: int = 48) -> list:
    """(moment in ms, picture) of a clip that is brighter in every second."""
    return [
        (number * 1000 // rate, grey(STEP * (number // rate + 1), width, height))
        for number in range(count * rate)
    ]


def write(
    path: Path,
    shown: Iterable[tuple[int, Picture]],
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    keyframes: int = 10,
) -> Path:
    """A clip whose pictures begin at the given milliseconds."""
    shown = list(shown)
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=1000)
        stream.height, stream.width = shown[0][1].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.time_base = MILLISECOND
        stream.codec_context.gop_size = keyframes
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=none"}
        for moment, picture in shown:
            frame = av.VideoFrame.from_ndarray(picture).reformat(format=pixels)
            frame.pts, frame.time_base = moment, MILLISECOND
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def sound(path: Path) -> Path:
    """A recording without a picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 8000), np.float32), format="fltp", layout="mono"
        )
        frame.rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turned(path: Path, matrix: Sequence[int]) -> Path:
    """Writes a matrix a, b, c, d into the track header: see ISO 14496-12, 6.2.2."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (0x10000 * value for value in matrix)
    rows = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    content[place : place + 36] = rows
    path.write_bytes(content)
    return path
