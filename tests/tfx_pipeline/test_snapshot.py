"""Joins, held-out rows, popularity and shards, against row-level Python."""

import collections
import dataclasses
import hashlib
import itertools

import numpy as np
import pyarrow as pa
import pytest

from tfx_pipeline import snapshot
from uvcan_tf import features as names
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.tables import Tables
from uvcan_tf.errors import DataError
from uvcan_tf.features import Categorical, Dense, Features

FEATURES = Features(
    user=(Categorical("gender"),),
    video=(Categorical("author"), Categorical("tags", True), Dense("visual", 3)),
    popularity_of="tags",
    slices=("gender",),
)
EVALUATION = EvaluationConfig(held_out_fraction=0.25)
USERS, VIDEOS = 7, 11


@pytest.fixture(scope="module")
def tables() -> Tables:
    random = np.random.default_rng(5)
    pairs = [(u, v) for u in range(USERS) for v in random.permutation(VIDEOS)[:9]]
    return Tables(
        users=pa.table(
            {
                names.USER_ID: [f"u{i}" for i in range(USERS)],
                "gender": pa.array([None, *"mfmfmf"]),
            }
        ),
        videos=pa.table(
            {
                names.VIDEO_ID: [f"v{i}" for i in range(VIDEOS)],
                "author": pa.array([None, *(f"a{i % 3}" for i in range(VIDEOS - 1))]),
                "tags": pa.array(
                    [None, [], *([f"t{i % 2}", f"t{i}"] for i in range(VIDEOS - 2))],
                    pa.list_(pa.string()),
                ),
                "visual": pa.array(
                    [None, *([float(i), 1.0, 2.0] for i in range(VIDEOS - 1))],
                    pa.list_(pa.float32(), 3),
                ),
            }
        ),
        interactions=pa.table(
            {
                names.USER_ID: [f"u{u}" for u, _ in pairs],
                names.VIDEO_ID: [f"v{v}" for _, v in pairs],
                names.LABEL: pa.array(random.integers(0, 2, len(pairs)), pa.int8()),
            }
        ),
    )


@pytest.fixture(scope="module")
def splits(tables: Tables) -> dict[str, pa.Table]:
    return snapshot.splits(tables, FEATURES, EVALUATION)


def test_held_out_rows_of_a_user_stand_together(tables: Tables) -> None:
    order = np.random.default_rng(2).permutation(tables.interactions.num_rows)
    shuffled = dataclasses.replace(
        tables, interactions=tables.interactions.take(pa.array(order))
    )
    half = EvaluationConfig(held_out_fraction=0.5)
    rows = snapshot.splits(shuffled, FEATURES, half)[names.EVAL]
    users = rows[names.USER_ID].to_pylist()
    runs = [user for user, _ in itertools.groupby(users)]
    assert len(users) > len(runs) == len(set(users))


def test_train_and_eval_share_out_the_interactions(
    tables: Tables, splits: dict[str, pa.Table]
) -> None:
    def pairs(table: pa.Table) -> list[tuple[str, str, int]]:
        columns = (names.USER_ID, names.VIDEO_ID, names.LABEL)
        return [tuple(row[c] for c in columns) for row in table.to_pylist()]

    both = pairs(splits[names.TRAIN]) + pairs(splits[names.EVAL])
    assert sorted(both) == sorted(pairs(tables.interactions))


def test_likes_too_few_to_hold_one_out_are_said(tables: Tables) -> None:
    few = EvaluationConfig(held_out_fraction=0.05)
    with pytest.raises(DataError, match="should have 20 liked videos, .* none of 7"):
        snapshot.splits(tables, FEATURES, few)


def test_a_quarter_of_each_users_likes_is_held_out_and_nothing_else(
    tables: Tables, splits: dict[str, pa.Table]
) -> None:
    rows = tables.interactions.to_pylist()
    likes = collections.Counter(r[names.USER_ID] for r in rows if r[names.LABEL])
    held_out = splits[names.EVAL].to_pylist()
    found = collections.Counter(row[names.USER_ID] for row in held_out)
    assert {u: found[u] for u in likes} == {u: n // 4 for u, n in likes.items()}
    assert {row[names.LABEL] for row in held_out} == {1}


def test_a_training_row_carries_no_attributes(splits: dict[str, pa.Table]) -> None:
    own = [names.USER_ID, names.VIDEO_ID, names.LABEL, names.POPULARITY]
    assert splits[names.TRAIN].column_names == own


def test_an_eval_row_carries_the_attributes_of_its_user_and_video(
    tables: Tables, splits: dict[str, pa.Table]
) -> None:
    users = {r[names.USER_ID]: r for r in tables.users.to_pylist()}
    videos = {r[names.VIDEO_ID]: r for r in tables.videos.to_pylist()}
    for row in splits[names.EVAL].to_pylist():
        video = videos[row[names.VIDEO_ID]]
        assert row["gender"] == users[row[names.USER_ID]]["gender"]
        assert (row["author"], row["tags"]) == (video["author"], video["tags"])
        assert "visual" not in row


def test_popularity_counts_training_likes_of_the_largest_group(
    tables: Tables, splits: dict[str, pa.Table]
) -> None:
    videos = {r[names.VIDEO_ID]: r for r in tables.videos.to_pylist()}
    likes = collections.Counter(
        tag
        for row in splits[names.TRAIN].to_pylist()
        for tag in videos[row[names.VIDEO_ID]]["tags"] or []
        if row[names.LABEL]
    )
    for row in splits[names.EVAL].to_pylist():
        most = max((likes[tag] for tag in row["tags"] or []), default=0)
        low, high = {
            "0": (0, 0), "1-4": (1, 4), "5-19": (5, 19), "20-99": (20, 99)
        }[row[names.POPULARITY]]  # fmt: skip
        assert low <= most <= high


def test_an_eval_row_names_all_held_out_videos_of_its_user(
    splits: dict[str, pa.Table],
) -> None:
    rows = splits[names.EVAL].to_pylist()
    of_user = collections.defaultdict(set)
    for row in rows:
        of_user[row[names.USER_ID]].add(row[names.VIDEO_ID])
    for row in rows:
        assert set(row[names.HELD_OUT]) == of_user[row[names.USER_ID]]
        assert len(row[names.HELD_OUT]) == len(of_user[row[names.USER_ID]])


def test_rows_tell_all_likes_where_the_model_does_not_remember_them(
    tables: Tables, splits: dict[str, pa.Table]
) -> None:
    told = snapshot.splits(tables, FEATURES, EVALUATION, remembered=False)
    likes = collections.defaultdict(list)
    for row in tables.interactions.to_pylist():
        if row[names.LABEL]:
            likes[row[names.USER_ID]].append(row[names.VIDEO_ID])
    for row in told[names.EVAL].to_pylist():
        assert sorted(row[names.HELD_OUT]) == sorted(likes[row[names.USER_ID]])
    for name in snapshot.SPLITS:
        if name != names.EVAL:
            assert told[name].equals(splits[name])


def test_a_shard_holds_lists_and_null_where_nothing_is_known(
    splits: dict[str, pa.Table],
) -> None:
    (shard,) = snapshot.shards(splits[names.VIDEOS])
    assert shard["author"].to_pylist()[:2] == [None, [b"a0"]]
    assert shard["tags"].to_pylist()[:3] == [None, None, [b"t0", b"t0"]]
    assert shard["visual"].to_pylist()[:2] == [None, [0.0, 1.0, 2.0]]


def test_a_large_split_is_cut_into_at_most_32_shards_without_loss() -> None:
    table = pa.table({names.USER_ID: [f"u{i}" for i in range(100_003)]})
    shards = list(snapshot.shards(table))
    assert len(shards) <= 32
    assert sum(shard.num_rows for shard in shards) == 100_003


def test_training_pairs_have_times_where_the_test_is_held_out_in_time(
    tables: Tables, splits: dict[str, pa.Table]
) -> None:
    rows = tables.interactions.num_rows
    time = pa.array(np.random.default_rng(8).permutation(rows), pa.int64())
    interactions = tables.interactions.append_column(names.TIMESTAMP, time)
    timed = dataclasses.replace(tables, interactions=interactions)
    in_time = EvaluationConfig(split="time", held_out_fraction=0.25)
    train = snapshot.splits(timed, FEATURES, in_time)[names.TRAIN]
    assert max(train[names.TIMESTAMP].to_pylist()) < rows * 0.75
    assert names.TIMESTAMP not in splits[names.TRAIN].column_names
    assert next(snapshot.shards(train))[names.TIMESTAMP].null_count == 0


def timed(tables: Tables) -> Tables:
    """The same tables with moments that arithmetic alone gives, two of a kind each."""
    rows = tables.interactions.num_rows
    time = pa.array([row * 37 % rows // 2 for row in range(rows)], pa.int64())
    interactions = tables.interactions.append_column(names.TIMESTAMP, time)
    return dataclasses.replace(tables, interactions=interactions)


#: Of the content of all shards, as it was before a split could be made in parts.
FINGERPRINTS = {
    ("random", True): "f070110868738a23",
    ("random", False): "8f3f741a9c6f9b12",
    ("time", True): "efe26e548b6a153c",
    ("last", True): "006338f21413e0c7",
    ("last", False): "b677b05d0a6f6c0d",
}


@pytest.mark.parametrize(("split", "remembered"), FINGERPRINTS)
def test_the_shards_hold_the_same_rows_in_the_same_order_as_ever(
    split: str, remembered: bool
) -> None:
    pairs = [(u, v) for u in range(40) for v in range(30) if (u * 7 + v * 5) % 11 < 6]
    pairs.sort(key=lambda pair: (pair[0] * 31 + pair[1] * 17) % 101)
    interactions = {
        names.USER_ID: [f"u{u}" for u, _ in pairs],
        names.VIDEO_ID: [f"v{v}" for _, v in pairs],
        names.LABEL: pa.array([int((u + v * v) % 5 > 1) for u, v in pairs], pa.int8()),
    }
    tags = [None, [], *([f"t{v % 2}", f"t{v}"] for v in range(28))]
    tables = Tables(
        users=pa.table(
            {
                names.USER_ID: [f"u{u}" for u in range(40)],
                "gender": [None, *"mfmfmfm"] * 5,
            }
        ),
        videos=pa.table(
            {
                names.VIDEO_ID: [f"v{v}" for v in range(30)],
                "author": [None, *(f"a{v % 3}" for v in range(29))],
                "tags": pa.array(tags, pa.list_(pa.string())),
                "visual": pa.array(
                    [None, *([v / 2, 1.0, 2.0] for v in range(29))],
                    pa.list_(pa.float32(), 3),
                ),
            }
        ),
        interactions=pa.table(interactions),
    )
    evaluation = EvaluationConfig(split=split, held_out_fraction=0.25)
    found = snapshot.splits(timed(tables), FEATURES, evaluation, remembered)
    digest = hashlib.sha256()
    for name, table in found.items():
        for shard in snapshot.shards(table):
            digest.update(f"{name} {shard.to_pydict()}".encode())
    assert digest.hexdigest()[:16] == FINGERPRINTS[split, remembered]
