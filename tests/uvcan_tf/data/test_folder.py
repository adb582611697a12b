"""A folder appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from uvcan_tf.data.folder import whole_folder
from uvcan_tf.errors import DataError


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_new_folder_appears_when_all_is_written(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "deep" / "out") as partial:
        (partial / "a.csv").write_text("new")
        assert not (tmp_path / "deep" / "out").exists()
    assert content(tmp_path / "deep" / "out") == {"a.csv": "new"}


def test_files_of_other_names_stay(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").write_text("old")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with whole_folder(tmp_path / "out") as partial:
        (partial / "a.csv").write_text("new")
    assert content(tmp_path / "out") == {"a.csv": "new", "notes.txt": "mine"}


def test_a_failure_leaves_the_old_files_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").write_text("old")
    with pytest.raises(KeyError), whole_folder(tmp_path / "out") as partial:
        (partial / "a.csv").write_text("half")
        raise KeyError("disk")
    assert content(tmp_path / "out") == {"a.csv": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_table_of_another_format_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    with (
        pytest.raises(DataError, match="has a.csv, which would contradict a.parquet"),
        whole_folder(tmp_path) as partial,
    ):
        (partial / "a.parquet").write_text("new")
    assert content(tmp_path) == {"a.csv": "old"}


def test_folders_nest(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out") as outer:
        with whole_folder(outer) as inner:
            (inner / "a.csv").write_text("a")
        (outer / "b.csv").write_text("b")
    assert content(tmp_path / "out") == {"a.csv": "a", "b.csv": "b"}


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(DataError, match="out should be a folder. Received: a file"):
        with whole_folder(tmp_path / "out"):
            pass


def test_a_folder_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="out cannot be written: Not a directory"):
        with whole_folder(tmp_path / "file" / "out"):
            pass
