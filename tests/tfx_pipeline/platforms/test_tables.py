"""The fingerprint is of what the tables hold, not of when they were written."""

import os
from pathlib import Path

import pytest

from tfx_pipeline.platforms.tables import fingerprint


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    (tmp_path / "users.csv").write_text("user_id\nu1\n")
    (tmp_path / "videos.csv").write_text("video_id\nv1\n")
    return tmp_path


def test_the_same_tables_written_again_are_the_same(tables: Path) -> None:
    before = fingerprint(str(tables))
    os.utime(tables / "users.csv", (1, 1))
    assert fingerprint(str(tables)) == before


def test_another_value_of_the_same_length_is_another_fingerprint(tables: Path) -> None:
    before = fingerprint(str(tables))
    (tables / "users.csv").write_text("user_id\nu2\n")
    assert fingerprint(str(tables)) != before


def test_another_file_is_another_fingerprint(tables: Path) -> None:
    before = fingerprint(str(tables))
    (tables / "videos.csv").rename(tables / "videos2.csv")
    assert fingerprint(str(tables)) != before


def test_a_changed_part_file_is_another_fingerprint(tables: Path) -> None:
    (tables / "interactions").mkdir()
    part = tables / "interactions" / "part-0.csv"
    part.write_text("user_id,video_id\nu1,v1\n")
    before = fingerprint(str(tables))
    part.write_text("user_id,video_id\nu1,v2\n")
    assert fingerprint(str(tables)) != before
