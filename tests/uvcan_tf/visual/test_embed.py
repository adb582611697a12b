"""Frames are batched across videos, and find back to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.uvcan_tf.visual.clips import STEP, seconds, write
from uvcan_tf.errors import DataError
from uvcan_tf.visual.embed import embedded, mean_of
from uvcan_tf.visual.network import WIDTH
from uvcan_tf.visual.videos import Video


class Brightness:
    """Stands for the network: every activation is the brightness of the picture."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        assert images.dtype == np.uint8 and images.shape[1:] == (299, 299, 3)
        self.batches.append(len(images))
        levels = images.mean(axis=(1, 2, 3), dtype=np.float32) / STEP
        return np.repeat(levels[:, None], WIDTH, axis=1)


def clips(folder: Path, lengths: Sequence[int]) -> list[Video]:
    """Clips of so many seconds; of 0, an empty file."""
    videos = []
    for number, length in enumerate(lengths):
        path = folder / f"{number}.mkv"
        write(path, seconds(length, 2), "mpeg4") if length else path.touch()
        videos.append(Video(str(number), str(path), ""))
    return videos


def test_each_video_gets_its_own_frames(tmp_path: Path) -> None:
    rows = embedded(clips(tmp_path, [2, 0, 3, 1]), Brightness())
    levels = [[round(float(x[0])) for x in row.activations] for row in rows]
    assert levels == [[1, 2], [], [1, 2, 3], [1]]
    assert [row.activations.shape for row in rows][1:3] == [(0, WIDTH), (3, WIDTH)]


def test_a_broken_file_does_not_stop_the_others(tmp_path: Path) -> None:
    rows = embedded(clips(tmp_path, [1, 0, 1]), Brightness())
    assert [row.reason for row in rows] == [None, "1.mkv is an empty file.", None]


def test_batches_are_full_across_videos(tmp_path: Path) -> None:
    network = Brightness()
    embedded(clips(tmp_path, [5, 0, 5, 3, *[5] * 11]), network)
    assert network.batches == [32, 32, 4]


def test_no_frame_at_all_is_no_work_for_the_network(tmp_path: Path) -> None:
    network = Brightness()
    embedded(clips(tmp_path, [0]), network)
    assert network.batches == []


def test_a_new_video_has_the_mean_of_its_frames(tmp_path: Path) -> None:
    [video] = clips(tmp_path, [3])
    [row] = embedded([video], Brightness())
    found = mean_of(Path(video.path), Brightness())
    np.testing.assert_allclose(found, row.activations.mean(axis=0), rtol=1e-6)


def test_a_new_video_that_is_broken_is_refused(tmp_path: Path) -> None:
    [video] = clips(tmp_path, [0])
    with pytest.raises(DataError, match="0.mkv is an empty file"):
        mean_of(Path(video.path), Brightness())
