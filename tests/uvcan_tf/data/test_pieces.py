"""Tables that are read in pieces are the tables that are read whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uvcan_tf.data import pieces
from uvcan_tf.data.files import find_table, parts_of
from uvcan_tf.data.surveys import survey
from uvcan_tf.data.tables import read_tables
from uvcan_tf.errors import DataError
from uvcan_tf.features import Categorical, Dense, Features, Numeric

FEATURES = Features(
    user=(Categorical("home city"), Numeric("age", "buckets", 2)),
    video=(Categorical("author"), Categorical("tags", True), Dense("look", 3)),
)
ROWS = 40
FRAMES = {
    "users": pd.DataFrame(
        {
            "user_id": [f"{i}.0" for i in range(ROWS)],
            "home city": ["Köln", None] * (ROWS // 2),
            "age": np.arange(ROWS) / 2,
        }
    ),
    "videos": pd.DataFrame(
        {
            "video_id": np.arange(ROWS),
            "author": [1.0] * (ROWS - 1) + [2.5],
            "tags": ["x"] * (ROWS - 1) + ["x|y"],
        }
    ),
    "interactions": pd.DataFrame(
        {
            "user_id": np.arange(ROWS, dtype=float),
            "video_id": np.arange(ROWS),
            "timestamp": [1649505600 + i for i in range(ROWS - 1)] + [1649505600500],
        }
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Users in one CSV, videos in parts with vectors beside, interactions in groups."""
    FRAMES["users"].to_csv(tmp_path / "users.csv", index=False)
    (tmp_path / "videos").mkdir()
    for number, rows in enumerate(np.array_split(np.arange(ROWS), 3)):
        part = tmp_path / "videos" / f"part-{number}.csv"
        FRAMES["videos"].iloc[rows].to_csv(part, index=False)
    np.save(tmp_path / "look.npy", np.arange(ROWS * 3.0).reshape(ROWS, 3))
    table = pa.Table.from_pandas(FRAMES["interactions"], preserve_index=False)
    pq.write_table(table, tmp_path / "interactions.parquet", row_group_size=7)
    return tmp_path


def read(folder: Path, table: str) -> pa.Table:
    path = find_table(folder, table)
    parts = [path] if path.is_file() else parts_of(path)
    surveys = [survey(part, table, FEATURES) for part in parts]
    layout = pieces.laid_out(folder, table, parts, surveys, FEATURES)
    found = [pieces.read_piece(layout, p, folder, FEATURES) for p in layout.pieces]
    starts = np.cumsum([0, *(piece.num_rows for piece in found)])
    assert [piece.start for piece in layout.pieces] == starts[:-1].tolist()
    assert layout.rows == starts[-1]
    return pa.concat_tables(found)


def test_pieces_are_the_whole_tables(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "_ROWS", 10)
    tables = read_tables(folder, FEATURES)
    for table in ("users", "videos", "interactions"):
        assert read(folder, table).equals(getattr(tables, table)), table


def test_times_that_one_part_spoils_are_left_out_of_all(folder: Path) -> None:
    (folder / "interactions.parquet").unlink()
    (folder / "interactions").mkdir()
    frame = FRAMES["interactions"]
    for number, time in enumerate(["2022-04-09", "soon"]):
        part = frame.iloc[number::2].assign(timestamp=time)
        part.to_csv(folder / "interactions" / f"{number}.csv", index=False)
    assert read(folder, "interactions").column_names == ["user_id", "video_id", "label"]
    assert read(folder, "interactions").equals(
        read_tables(folder, FEATURES).interactions
    )


def test_a_part_without_a_column_is_named(folder: Path) -> None:
    FRAMES["videos"].drop(columns="tags").to_csv(
        folder / "videos" / "part-1.csv", index=False
    )
    with pytest.raises(DataError, match="part-1.csv should have the column tags"):
        read(folder, "videos")


def test_a_part_of_other_types_is_named(folder: Path) -> None:
    (folder / "users.csv").unlink()
    (folder / "users").mkdir()
    for number, ids in enumerate([[1, 2], [["a"], ["b"]]]):
        table = {"user_id": ids, "home city": ["x", "y"], "age": [1, 2]}
        pq.write_table(pa.table(table), folder / "users" / f"{number}.parquet")
    with pytest.raises(DataError, match="users should have the same columns.*1.parqu"):
        read(folder, "users")


def test_an_unreadable_part_is_named(folder: Path) -> None:
    (folder / "videos" / "part-2.csv").write_bytes(b"video_id,author,tags\n1,\xe4,x\n")
    with pytest.raises(DataError, match="^part-2.csv is not a readable CSV file"):
        read(folder, "videos")


def test_parts_without_a_row_are_refused(folder: Path) -> None:
    (folder / "users.csv").write_text("user_id,home city,age\n")
    with pytest.raises(DataError, match="users.csv should have at least one row"):
        read(folder, "users")


def test_a_table_of_one_piece_needs_no_other_cells(folder: Path) -> None:
    path = folder / "users.csv"
    found = survey(path, "users", FEATURES)
    layout = pieces.laid_out(folder, "users", [path], [found], FEATURES)
    assert (len(layout.pieces), layout.others) == (1, {})
    assert found.groups == ((ROWS, 0),)
