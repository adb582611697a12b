"""Vectors beside tables are what training reads, and PCA sees training alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from uvcan_tf.data.tables import read_tables
from uvcan_tf.errors import DataError
from uvcan_tf.evaluation_settings import LAST, TIME, EvaluationConfig
from uvcan_tf.features import FEATURES_FILE, VISUAL, Dense, of_folder
from uvcan_tf.visual.vectors import read, training_videos, write

DECLARED = {"user": [], "video": ["author_id"]}


def tables(folder: Path, declared: object = DECLARED) -> Path:
    folder.mkdir()
    (folder / "users.csv").write_text("user_id\nu\nw\n")
    (folder / "videos.csv").write_text("video_id,author_id\na,x\nb,x\nc,y\nd,y\n")
    pairs = [("u", "a", 1), ("u", "b", 2), ("w", "a", 3), ("w", "b", 4), ("w", "c", 5)]
    lines = "".join(f"{user},{video},{second}\n" for user, video, second in pairs)
    (folder / "interactions.csv").write_text(f"user_id,video_id,timestamp\n{lines}")
    if declared is not None:
        (folder / FEATURES_FILE).write_text(json.dumps(declared))
    return folder


def test_the_vectors_are_read_as_written_and_missing_ones_are_null(
    tmp_path: Path,
) -> None:
    folder = tables(tmp_path / "t")
    values = np.arange(6, dtype=np.float32).reshape(2, 3) + 1
    assert write(read(folder, VISUAL), [2, 0], values) == folder / "visual.npy"
    features = of_folder(folder)
    assert features.video[-1] == Dense(VISUAL, 3)
    found = read_tables(folder, features).videos[VISUAL].to_pylist()
    assert found == [[4, 5, 6], None, [1, 2, 3], None]


def test_the_declaration_keeps_its_place_and_gets_its_length(tmp_path: Path) -> None:
    declared = {
        "user": [],
        "video": [{"name": "Bild", "length": 99}, "author_id"],
        "popularity_of": "author_id",
    }
    folder = tables(tmp_path / "t", declared)
    found = read(folder, "Bild")
    assert found.declared == 99
    assert found.video_ids == ["a", "b", "c", "d"]
    write(found, [0], np.ones((1, 5), np.float32))
    kept = json.loads((folder / FEATURES_FILE).read_text())
    assert kept["video"] == [{"name": "Bild", "length": 5}, "author_id"]
    assert kept["popularity_of"] == "author_id"


def test_a_declaration_that_fits_is_left_alone(tmp_path: Path) -> None:
    declared = {"user": [], "video": [{"name": VISUAL, "length": 5}]}
    folder = tables(tmp_path / "t", declared)
    write(read(folder, VISUAL), [0], np.ones((1, 5), np.float32))
    assert (folder / FEATURES_FILE).read_text() == json.dumps(declared)


def test_videos_of_held_out_likes_alone_are_not_trained_on(tmp_path: Path) -> None:
    found = read(tables(tmp_path / "t"), VISUAL)
    last = EvaluationConfig(split=LAST)
    assert training_videos(found.tables, last) == {"a", "b"}
    early = EvaluationConfig(split=TIME, split_at=2000)
    assert training_videos(found.tables, early) == {"a"}


def test_a_column_of_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="videos.csv has the column 'author_id', which"):
        read(tables(tmp_path / "t", {"user": [], "video": []}), "author_id")


def test_a_categorical_declaration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'author_id' should be declared with a `len"):
        read(tables(tmp_path / "t"), "author_id")
