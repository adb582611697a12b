"""A test set is a share at random, or what came later; nothing later is known."""

from __future__ import annotations

from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest

from uvcan_tf.config import ConfigError
from uvcan_tf.data.held_out import split_interactions
from uvcan_tf.data.split import hold_out
from uvcan_tf.errors import DataError
from uvcan_tf.evaluation_settings import LAST, RANDOM, TIME, EvaluationConfig

# user, video, label, timestamp
ROWS = [
    ("u1", "a", 1, 10),
    ("u1", "b", 0, 20),
    ("u1", "c", 1, 30),
    ("u1", "d", 0, 30),
    ("u1", "e", 0, 40),
    ("u2", "a", 1, 35),
    ("u2", "b", 1, 15),
    ("u2", "c", 1, 5),
    ("u3", "a", 1, 50),
    ("u3", "b", 0, 60),
]


def table(rows: list[Any]) -> pa.Table:
    user, video, label, time = zip(*rows, strict=True)
    return pa.table(
        {
            "user_id": list(user),
            "video_id": list(video),
            "label": pa.array(label, pa.int8()),
            "timestamp": pa.array(time, pa.int64()),
        }
    )


def named(mask: np.ndarray) -> set[str]:
    return {row[0] + row[1] for row, there in zip(ROWS, mask, strict=True) if there}


def test_at_random_is_the_share_of_each_user_and_leaves_nothing_out() -> None:
    rows = [("u1", f"v{i}", int(i % 3 > 0), i) for i in range(30)]
    config = EvaluationConfig(held_out_fraction=0.3, seed=5)
    split = split_interactions(table(rows), config)
    liked = np.arange(30) % 3 > 0
    ids = np.array([row[1] for row in rows], object)[liked]
    chosen = hold_out(np.full(20, "u1", object), ids, 0.3, 5)
    assert split.test[liked].tolist() == chosen.tolist()
    assert split.test.sum() == 6
    assert not split.test[~liked].any()
    assert (split.train == ~split.test).all()


def test_in_time_everything_from_the_moment_on_is_unknown() -> None:
    config = EvaluationConfig(split=TIME, split_at=30)
    split = split_interactions(table(ROWS), config)
    assert named(split.train) == {"u1a", "u1b", "u2b", "u2c"}
    assert named(split.test) == {"u1c", "u2a", "u3a"}
    assert "3 of 6 likes held out: those from timestamp 30 on" in split.report
    assert "3 impressions of that time are left out" in split.report


def test_in_time_the_last_share_of_the_log_is_held_out() -> None:
    config = EvaluationConfig(split=TIME, held_out_fraction=0.3)
    split = split_interactions(table(ROWS), config)  # from the eighth of ten on
    assert named(split.test) == {"u3a"}
    assert named(~split.train & ~split.test) == {"u1e", "u3b"}


def test_the_last_likes_of_each_user_who_keeps_one() -> None:
    split = split_interactions(table(ROWS), EvaluationConfig(split=LAST))
    assert named(split.test) == {"u1c", "u2a"}
    assert named(split.train) == {"u1a", "u1b", "u2b", "u2c", "u3a", "u3b"}


def test_more_than_one_last_like() -> None:
    config = EvaluationConfig(split=LAST, last_likes=2)
    split = split_interactions(table(ROWS), config)
    assert named(split.test) == {"u2a", "u2b"}
    assert named(~split.train & ~split.test) == set()


_ROW = st.tuples(
    st.sampled_from(["u1", "u2", "u3"]),
    st.integers(0, 10**6).map(str),
    st.sampled_from([0, 1]),
    st.integers(-50, 50),
)


@hypothesis.given(
    rows=st.lists(_ROW, min_size=2, max_size=40, unique_by=lambda row: row[:2]),
    last=st.integers(1, 3),
)
def test_no_training_row_of_a_user_is_later_than_a_tested_one(
    rows: list[Any], last: int
) -> None:
    config = EvaluationConfig(split=LAST, last_likes=last)
    try:
        split = split_interactions(table(rows), config)
    except DataError:
        likes: dict[str, int] = {}
        for user, _, label, _ in rows:
            likes[user] = likes.get(user, 0) + label
        assert all(count <= last for count in likes.values())
        return
    assert not (split.train & split.test).any()
    for user in {row[0] for row in rows}:
        own = [(i, row) for i, row in enumerate(rows) if row[0] == user]
        tested = [row for i, row in own if split.test[i]]
        kept = [row for i, row in own if split.train[i]]
        assert len(tested) in (0, last)
        assert all(row[2] == 1 for row in tested)
        if tested:
            first = min(row[3] for row in tested)
            assert any(row[2] == 1 for row in kept)
            assert all(row[3] <= first for row in kept)
            assert all(row[3] < first for row in kept if not row[2])


def without(name: str) -> pa.Table:
    return table(ROWS).drop([name])


@pytest.mark.parametrize("split", [TIME, LAST])
def test_a_split_in_time_needs_timestamps(split: str) -> None:
    config = EvaluationConfig(split=split)
    with pytest.raises(DataError, match="needs the column 'timestamp' of interactions"):
        split_interactions(without("timestamp"), config)
    rows = [*ROWS, ("u4", "a", 1, None)]
    with pytest.raises(DataError, match="in every row. Received: 1 rows without one"):
        split_interactions(table(rows), config)


@pytest.mark.parametrize("moment", [0, 1000])
def test_a_moment_outside_of_the_log_is_refused(moment: int) -> None:
    config = EvaluationConfig(split=TIME, split_at=moment)
    with pytest.raises(DataError, match="from timestamp 5 to 60; choose another"):
        split_interactions(table(ROWS), config)


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of random, time, last. Received: split"):
        EvaluationConfig(split="later")
    assert EvaluationConfig().split == RANDOM
