"""The report of `data check` counts every column and notes what looks odd."""

from __future__ import annotations

import pytest

from tests import worlds
from uvcan_tf.data.report import Column, report, warnings
from uvcan_tf.data.tables import Tables
from uvcan_tf.features import Categorical, Dense, Features


def world(features: Features, **values: list[object]) -> Tables:
    """Three users with these columns who like two of two videos, of one, and none."""
    users = [
        {"user_id": f"u{i}", **{name: column[i] for name, column in values.items()}}
        for i in range(3)
    ]
    videos = [{"video_id": f"v{i}"} for i in range(2)]
    likes = [("u0", "v0"), ("u0", "v1"), ("u1", "v0")]
    return worlds.tables(features, users, videos, likes)


def test_values_are_counted_the_most_frequent_first() -> None:
    features = Features((Categorical("place"), Categorical("tags", True)), ())
    tables = world(features, place=["b", "b", None], tags=[["x", "y"], ["y"], None])
    user, place, tags, video = report(tables, features)
    assert (user.kind, user.distinct, user.missing, video.rows) == ("id", 3, 0, 2)
    assert (place.kind, place.distinct, place.missing) == ("name", 1, 1)
    assert (tags.kind, tags.distinct, tags.examples) == ("names", 2, ("y", "x"))


def test_a_vector_tells_its_length_and_its_gaps() -> None:
    tables = worlds.tables(
        worlds.FEATURES, worlds.USERS, worlds.VIDEOS, [("ann", "v1")]
    )
    look = report(tables, worlds.FEATURES)[-1]
    missing = sum(row["look"] is None for row in worlds.VIDEOS)
    assert (look.kind, look.missing, look.examples) == ("vector of 3", missing, ())


def test_people_and_videos_at_the_edges_are_noted() -> None:
    found = warnings(world(Features((), ())), Features((), ()))
    assert [note.split(";")[0].split(",")[0].rstrip(".") for note in found] == [
        "1 users like every video",
        "1 users like nothing",
    ]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (Column("users", "a", Categorical("a"), 9, 9, 0, ()), "is empty throughout"),
        (Column("videos", "a", Dense("a", 3), 9, 9, 0, ()), "is empty throughout"),
        (
            Column("users", "a", Categorical("a"), 9, 0, 1, ()),
            "same value in every row",
        ),
        (Column("users", "a", Categorical("a"), 99, 0, 99, ()), "as an id has"),
        (
            Column("users", "a b", Categorical("a_b_1", column="a b"), 9, 0, 2, ()),
            "is called 'a_b_1' in SavedModels",
        ),
    ],
)
def test_an_odd_column_is_noted_by_name(column: Column, sentence: str) -> None:
    [note] = column.warnings()
    assert note.startswith(f"{column.table}, column '{column.name}' ")
    assert sentence in note


def test_a_common_column_is_not_noted() -> None:
    for feature in (None, Categorical("a"), Categorical("a", True), Dense("a", 3)):
        assert not list(Column("users", "a", feature, 50, 3, 5, ()).warnings())
