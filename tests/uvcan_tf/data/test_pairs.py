"""Repeated rows become pairs, and what few like goes until nobody is left to go."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from uvcan_tf.data.pairs import core, merged, once


def log(*rows: tuple[str, str, int, int | None]) -> pa.Table:
    user, video, label, time = zip(*rows, strict=True)
    return pa.table(
        {
            "user_id": user,
            "video_id": video,
            "label": pa.array(label, pa.int8()),
            "timestamp": pa.array(time, pa.int64()),
        }
    )


def test_a_pair_is_liked_once_and_has_its_latest_time() -> None:
    rows = log(
        ("a", "x", 0, 5), ("b", "x", 0, None), ("a", "x", 1, 3), ("a", "y", 0, 2)
    )
    found = {tuple(row.values()) for row in merged(rows).to_pylist()}
    assert found == {("a", "x", 1, 5), ("b", "x", 0, None), ("a", "y", 0, 2)}


def test_pairs_once_stand_where_they_came_first() -> None:
    rows = log(("b", "y", 0, 5), ("a", "x", 0, 1), ("b", "x", 1, 3), ("a", "x", 1, 2))
    pairs, places = once(rows)
    assert [tuple(row.values()) for row in pairs.to_pylist()] == [
        *(("b", "y", 0, 5), ("a", "x", 1, 2), ("b", "x", 1, 3)),
    ]
    assert places.tolist() == [0, 1, 2]


def test_pairs_of_one_user_once_are_those_of_all_users() -> None:
    rows = log(("b", "y", 0, 5), ("a", "x", 0, 1), ("b", "x", 1, 3), ("b", "y", 1, 2))
    every, places = once(rows)
    own = np.array([0, 2, 3])
    pairs, place = once(rows.take(pa.array(own)), own)
    assert pairs.to_pylist() == [r for r in every.to_pylist() if r["user_id"] == "b"]
    assert place.tolist() == [places[0], places[2]]


def test_the_core_is_the_largest_part_in_which_all_have_enough() -> None:
    square = [(u, v, 1, 0) for u in "ab" for v in "xy"]
    chain = [("b", "z", 1, 0), ("c", "z", 1, 0), ("c", "w", 1, 0)]
    skipped = [("a", "z", 0, 0)]
    assert (
        core(log(*square, *chain, *skipped), 2).to_pylist() == log(*square).to_pylist()
    )
    assert core(log(*square), 2) == log(*square)
    assert core(log(*square, ("a", "y", 0, 1)), 2).num_rows == 5
    assert core(log(*chain), 3).num_rows == 0
