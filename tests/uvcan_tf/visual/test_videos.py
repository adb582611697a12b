"""Files are found by their videos' ids, in a folder or by a list."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from uvcan_tf.errors import DataError
from uvcan_tf.visual.videos import find_videos

KNOWN = {"v1", "v2", "naïve|id"}


def touch(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_file_is_named_by_its_video_at_any_depth(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "b" / "v2.mp4")
    touch(tmp_path / "v1.webm")
    touch(tmp_path / "naïve|id.mp4")
    touch(tmp_path / "other.mp4")
    touch(tmp_path / ".v1.mp4")
    found = [(video.id, Path(video.path)) for video in find_videos(tmp_path, KNOWN)]
    assert found == [
        ("naïve|id", tmp_path / "naïve|id.mp4"),
        ("v1", tmp_path / "v1.webm"),
        ("v2", tmp_path / "a" / "b" / "v2.mp4"),
    ]


def test_a_list_names_files_from_its_own_folder(tmp_path: Path) -> None:
    far = touch(tmp_path / "far" / "x.mp4")
    touch(tmp_path / "lists" / "near.mp4")
    text = f"video_id,path,more\nv1,near.mp4,1\nv2,{far},2\nother,near.mp4,3\n"
    listed = touch(tmp_path / "lists" / "videos.csv", text)
    found = [(video.id, Path(video.path)) for video in find_videos(listed, KNOWN)]
    assert found == [("v1", tmp_path / "lists" / "near.mp4"), ("v2", far)]


def test_a_listed_file_may_be_missing_until_it_is_read(tmp_path: Path) -> None:
    listed = touch(tmp_path / "a.csv", "video_id,path\nv1,nowhere.mp4\n")
    assert [video.id for video in find_videos(listed, KNOWN)] == ["v1"]


def test_another_content_gives_another_stamp(tmp_path: Path) -> None:
    path = touch(tmp_path / "v1.mp4", "a")
    stamps = {find_videos(tmp_path, KNOWN)[0].stamp}
    stamps.add(find_videos(tmp_path, KNOWN)[0].stamp)
    assert len(stamps) == 1
    touch(path, "ab")
    stamps.add(find_videos(tmp_path, KNOWN)[0].stamp)
    os.utime(path, (1, 1))
    stamps.add(find_videos(tmp_path, KNOWN)[0].stamp)
    assert len(stamps) == 3


def test_two_files_of_a_video_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "v1.mp4")
    touch(tmp_path / "v1.webm")
    with pytest.raises(DataError, match=r"one file of each .*v1.webm of 'v1'\."):
        find_videos(tmp_path, KNOWN)


def test_files_of_no_known_video_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "x.mp4")
    with pytest.raises(DataError, match="Received: 1 files, of no video in the tables"):
        find_videos(tmp_path, KNOWN)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="should be a folder or a list"):
        find_videos(tmp_path / "nowhere", KNOWN)


def test_a_list_without_paths_is_refused(tmp_path: Path) -> None:
    listed = touch(tmp_path / "a.csv", "video_id\nv1\n")
    with pytest.raises(DataError, match="a.csv should have the column path"):
        find_videos(listed, KNOWN)
