"""What sets of users tell adds up to what the whole tables tell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from uvcan_tf.data import problems
from uvcan_tf.data.problems import Problems
from uvcan_tf.data.tables import Tables
from uvcan_tf.data.tables import problems as whole


def tables(seed: int) -> Tables:
    """Repeated users, videos and pairs, and ids that no table has."""
    random = np.random.default_rng(seed)
    users = random.permutation([*range(12), 3, 3, 7])
    videos = random.permutation([*range(9), 1, 5])
    user, video = random.integers(0, 20, 60), random.integers(0, 13, 60)
    return Tables(
        users=pa.table({"user_id": [f"u{u}" for u in users]}),
        videos=pa.table({"video_id": [f"v{v}" for v in videos]}),
        interactions=pa.table(
            {
                "user_id": [f"u{u}" for u in user],
                "video_id": [f"v{v}" for v in video],
            }
        ),
    )


@pytest.mark.parametrize("sets", [1, 3, 7])
@pytest.mark.parametrize("seed", range(5))
def test_sets_of_users_add_up(seed: int, sets: int) -> None:
    every = tables(seed)
    videos = every.videos["video_id"]
    found = Problems(videos=problems.of_ids(videos))
    for number in range(sets):
        place_of_user, place = (
            np.flatnonzero([int(i[1:]) % sets == number for i in ids.to_pylist()])
            for ids in (every.users["user_id"], every.interactions["user_id"])
        )
        users = every.users.take(pa.array(place_of_user, pa.int64()))
        pairs = every.interactions.take(pa.array(place, pa.int64()))
        ids = problems.of_ids(users["user_id"], place_of_user)
        found += Problems(users=ids)
        found += problems.of_interactions(pairs, users, every.videos, place)
    sentences = list(found.sentences())
    assert len(sentences) == 5
    assert sentences == list(whole(every))


def test_sound_tables_give_no_sentence() -> None:
    sound = pa.table({"user_id": ["u1", "u2"], "video_id": ["v1", "v2"]})
    found = problems.of_interactions(sound, sound, sound)
    assert list(found.sentences()) == []
