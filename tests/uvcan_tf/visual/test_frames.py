"""Each kind of file gives the right frames, or a reason."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.uvcan_tf.visual.clips import STEP, grey, seconds, sound, turned, write
from uvcan_tf.errors import DataError
from uvcan_tf.visual.frames import frames


def levels(path: Path) -> list[int]:
    """Which second's picture each frame is, by its brightness; 1 is the first."""
    return [round(frame.mean() / STEP) for frame in frames(str(path), path.name)]


def until_damaged(path: Path) -> tuple[list[npt.NDArray[np.uint8]], str]:
    found: list[npt.NDArray[np.uint8]] = []
    with pytest.raises(DataError) as caught:
        found.extend(frames(str(path), path.name))
    return found, str(caught.value)


@pytest.mark.parametrize(
    ("file", "codec", "pixels"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.mkv", "libx265", "yuv420p10le"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.ts", "libx264", "yuv420p"),
    ],
)
def test_a_clip_gives_the_first_frame_of_each_second(
    tmp_path: Path, file: str, codec: str, pixels: str
) -> None:
    clip = write(tmp_path / file, seconds(3), codec, pixels)
    assert levels(clip) == [1, 2, 3]


def test_a_gif_is_a_video(tmp_path: Path) -> None:
    assert levels(write(tmp_path / "a.gif", seconds(3), "gif", "rgb8")) == [1, 2, 3]


def test_a_started_second_counts(tmp_path: Path) -> None:
    assert levels(write(tmp_path / "a.mp4", seconds(3)[:21])) == [1, 2, 3]
    assert levels(write(tmp_path / "b.mp4", seconds(3)[:20])) == [1, 2]


def test_one_picture_is_one_frame(tmp_path: Path) -> None:
    assert levels(write(tmp_path / "a.mp4", seconds(1)[:1])) == [1]


def test_timestamps_count_where_the_frame_rate_varies(tmp_path: Path) -> None:
    """Forty frames in the first second, then one, a pause, and two more."""
    shown = [(25 * number, grey(40)) for number in range(40)]
    shown += [(1100, grey(80)), (3900, grey(120)), (4100, grey(160))]
    assert levels(write(tmp_path / "a.mkv", shown)) == [1, 2, 3, 4]


def test_seconds_count_from_the_first_frame(tmp_path: Path) -> None:
    late = [(moment + 700, picture) for moment, picture in seconds(2)]
    assert levels(write(tmp_path / "a.mkv", late)) == [1, 2]


def test_a_portrait_is_scaled_whole(tmp_path: Path) -> None:
    """The upper half is dark and the lower half bright, as in the file."""
    picture = np.concatenate([grey(40, 48, 48), grey(200, 48, 48)])
    [frame] = frames(str(write(tmp_path / "a.mp4", [(0, picture)])), "a")
    assert frame.shape == (299, 299, 3)
    assert frame[:140].mean() == pytest.approx(40, abs=3)
    assert frame[-140:].mean() == pytest.approx(200, abs=3)


@pytest.mark.parametrize(
    ("matrix", "corner"),
    [
        ((1, 0, 0, 1), "top left"),
        ((0, 1, -1, 0), "top right"),  # x' = -y, y' = x: a quarter clockwise
        ((-1, 0, 0, -1), "bottom right"),
        ((0, -1, 1, 0), "bottom left"),
    ],
)
def test_a_turned_camera_gives_upright_frames(
    tmp_path: Path, matrix: tuple[int, ...], corner: str
) -> None:
    """Where the white corner, stored top left, is seen."""
    picture = grey(20)
    picture[:24, :32] = 235
    clip = turned(write(tmp_path / "a.mp4", [(0, picture)]), matrix)
    [frame] = frames(str(clip), "a")
    half = {"top": slice(0, 140), "bottom": slice(160, 299)}
    half |= {"left": half["top"], "right": half["bottom"]}
    row, column = corner.split()
    assert frame[half[row], half[column]].mean() == pytest.approx(235, abs=5)
    assert frame.mean() == pytest.approx(20 + 215 / 4, abs=5)


def test_a_truncated_file_gives_what_can_be_read_and_a_reason(tmp_path: Path) -> None:
    """Noise, so that the seconds take the same share of the file."""
    noise = np.random.default_rng(0).integers(0, 255, (40, 48, 64, 3), np.uint8)
    shown = [(100 * number, picture) for number, picture in enumerate(noise)]
    clip = write(tmp_path / "a.mp4", shown, options={"movflags": "+faststart"})
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) * 6 // 10])
    found, reason = until_damaged(clip)
    assert len(found) == 3  # of 2.4 seconds
    assert reason.startswith("a.mp4 is damaged: ")
    assert reason.endswith("The frames that can be read, up to second 2, were used.")


def test_a_file_without_its_index_gives_a_reason(tmp_path: Path) -> None:
    clip = write(tmp_path / "a.mp4", seconds(2))
    clip.write_bytes(clip.read_bytes()[:-2000])  # the index is at the end
    found, reason = until_damaged(clip)
    assert (len(found), reason) == (
        0,
        "a.mp4 is not a video, or its index is missing, as where a copy broke off; "
        "copy it again.",
    )


def test_a_fragmented_file_needs_no_index(tmp_path: Path) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"}
    assert levels(write(tmp_path / "a.mp4", seconds(3), options=options)) == [1, 2, 3]


def test_noise_gives_a_reason(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(np.random.default_rng(0).bytes(100_000))
    assert until_damaged(clip)[1].startswith("a.mp4 is not a video")


def test_an_empty_file_gives_a_reason(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.touch()
    assert until_damaged(clip) == ([], "a.mp4 is an empty file.")


def test_a_recording_without_a_picture_gives_a_reason(tmp_path: Path) -> None:
    clip = sound(tmp_path / "a.m4a")
    assert until_damaged(clip) == ([], "a.m4a has no video stream.")


def test_a_missing_file_gives_a_reason(tmp_path: Path) -> None:
    found, reason = until_damaged(tmp_path / "a.mp4")
    assert found == []
    assert reason == "a.mp4 has no frame that can be read: No such file or directory."


def test_a_playlist_reaches_no_network(tmp_path: Path) -> None:
    clip = tmp_path / "a.m3u8"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        clip.write_text(f"#EXTM3U\n#EXTINF:9,\n{address}\n#EXT-X-ENDLIST\n")
        assert until_damaged(clip)[0] == []
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_colon_in_a_name_is_no_protocol(tmp_path: Path) -> None:
    assert levels(
        write(tmp_path / "a.mp4", seconds(1)).rename(tmp_path / "http:a")
    ) == [1]
