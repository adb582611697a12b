"""Activations are kept whole, by video, as long as the video's file is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from uvcan_tf.visual.store import Kept, Row, Store
from uvcan_tf.visual.videos import Video

A, B, C = (Video(name, f"/{name}.mp4", "1") for name in "abc")


def row(video: Video, frames: int, reason: str | None = None) -> Row:
    """Frames of width 3, all different."""
    start = 100 * ord(video.id)
    values = np.arange(start, start + 3 * frames, dtype=np.float32)
    return Row(video, values.reshape(frames, 3), reason)


def filled(folder: Path) -> Store:
    store = Store(folder / "store")
    store.write([row(A, 2), row(B, 0, "b.mp4 is an empty file.")])
    store.write([row(C, 5, "c.mp4 is damaged.")])
    return store


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert store.kept([A]) == {}
    assert list(store.means([A])) == []
    assert list(store.activations([A], 3)) == []


def test_frames_and_reasons_are_kept(tmp_path: Path) -> None:
    assert filled(tmp_path).kept([A, B, C]) == {
        "a": Kept(2, None),
        "b": Kept(0, "b.mp4 is an empty file."),
        "c": Kept(5, "c.mp4 is damaged."),
    }


def test_activations_come_back_of_the_videos_asked_for(tmp_path: Path) -> None:
    found = np.concatenate(list(filled(tmp_path).activations([B, C], 3)))
    np.testing.assert_array_equal(found, row(C, 5).activations)


def test_means_are_those_of_the_frames(tmp_path: Path) -> None:
    means: dict[str, np.ndarray] = {}
    for names, values in filled(tmp_path).means([A, B, C]):
        means |= dict(zip(names, values, strict=True))
    assert means.keys() == {"a", "c"}  # b has no frame
    for video, frames in ((A, 2), (C, 5)):
        expected = row(video, frames).activations.mean(axis=0)
        np.testing.assert_array_equal(means[video.id], expected)


def test_a_file_that_changed_is_not_kept(tmp_path: Path) -> None:
    store = filled(tmp_path)
    changed = Video("a", A.path, "2")
    assert store.kept([changed, B]).keys() == {"b"}
    store.write([row(changed, 4)])
    assert store.kept([changed])["a"].frames == 4
    assert store.kept([A])["a"].frames == 2


def test_a_video_that_was_kept_twice_counts_once(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.write([row(A, 2)])
    assert sum(len(x) for x in store.activations([A], 3)) == 2


def test_a_write_leaves_whole_files_only(tmp_path: Path) -> None:
    store = filled(tmp_path)
    (store.folder / "killed.partial").write_bytes(b"half")
    assert store.kept([A, B, C]).keys() == {"a", "b", "c"}
    assert {path.suffix for path in store.folder.iterdir()} == {".parquet", ".partial"}
