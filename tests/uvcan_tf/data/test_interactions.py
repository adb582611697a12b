"""Interactions of several days are one table, in which a pair stands once."""

from __future__ import annotations

from pathlib import Path

import pytest

from uvcan_tf.data.interactions import read_interactions
from uvcan_tf.errors import DataError

HEADER = "user_id,video_id,label,timestamp\n"


def write(folder: Path, days: dict[str, str]) -> None:
    for day, rows in days.items():
        part = folder / "interactions" / day / "part-0.csv"
        part.parent.mkdir(parents=True)
        part.write_text(HEADER + rows)


def rows(folder: Path, days: str = "") -> list[tuple[object, ...]]:
    table, notes = read_interactions(folder, days)
    assert notes == ()
    return sorted(zip(*table.to_pydict().values(), strict=True))


def test_a_pair_of_two_days_is_a_like_at_the_latest_time(tmp_path: Path) -> None:
    """u1 liked v1 on the first day and was shown it again on the second."""
    write(
        tmp_path,
        {
            "span-1": "u1,v1,1,1000000001\nu2,v1,0,1000000002\n",
            "span-2": "u1,v1,0,1000000009\nu1,v2,0,1000000008\n",
        },
    )
    assert rows(tmp_path) == [
        ("u1", "v1", 1, 1000000009000),
        ("u1", "v2", 0, 1000000008000),
        ("u2", "v1", 0, 1000000002000),
    ]


def test_only_the_days_of_the_range_are_read(tmp_path: Path) -> None:
    write(tmp_path, {"span-1": "u1,v1,1,5\n", "span-2": "u1,v2,0,6\n"})
    assert [row[:2] for row in rows(tmp_path, "1")] == [("u1", "v2")]


def test_days_of_a_table_without_days_are_refused(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text(HEADER + "u1,v1,1,5\n")
    with pytest.raises(DataError, match="^interactions.csv should have a folder for"):
        read_interactions(tmp_path, "3")
