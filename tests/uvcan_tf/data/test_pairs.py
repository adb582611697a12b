"""Repeated rows become pairs, and what few like goes until nobody is left to go."""

from __future__ import annotations

import pyarrow as pa

from uvcan_tf.data.pairs import core, merged


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
