"""Tables become rows 1..n between a missing and an unknown row of zeros."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.split import hold_out
from uvcan_tf.data.tables import Tables
from uvcan_tf.features import (
    LABEL,
    TIMESTAMP,
    USER_ID,
    VIDEO_ID,
    Categorical,
    Dense,
    Features,
)

FEATURES = Features(
    user=(Categorical("gender"),),
    video=(
        Categorical("author"),
        Categorical("tags", multivalued=True),
        Dense("look", 3),
    ),
)
CONFIG = EvaluationConfig(held_out_fraction=0.4, seed=7)
GENDERS = ["f", None, "m", "f", "x"]
AUTHORS = ["a", "b", None, "c", "b", "c", "z"]
TAGS = [["sea", "sky"], None, ["sky"], ["sun", "sea", "ice"], ["sky"], None, ["ice"]]
LOOKS = [[3, 0, -4], None, [0, 2, 0], [0, 0, 0], None, [1, 2, 2], [0, 0, 5]]
USERS = [f"u{i}" for i in (5, 2, 3, 7, 1)]
VIDEOS = [f"v{i}" for i in (11, 2, 3, 5, 7, 13, 1)]
PAIRS = [  # (user, video, label), user and video as positions in the tables
    (u, v, int((u * 3 + v * 5) % 4 > 0)) for v in range(7) for u in (4, 0, 2, 1)
]


def strings(values: list[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def tables(**changed: pa.Array) -> Tables:
    videos: dict[str, Any] = {
        VIDEO_ID: strings([*VIDEOS]),
        "author": strings(AUTHORS),
        "tags": pa.array(TAGS, pa.list_(pa.string())),
        "look": pa.array(LOOKS, pa.list_(pa.float32(), 3)),
    }
    users, items, labels = zip(*PAIRS, strict=True)
    return Tables(
        users=pa.table({USER_ID: strings([*USERS]), "gender": strings(GENDERS)}),
        videos=pa.table(videos | changed),
        interactions=pa.table(
            {
                USER_ID: strings([USERS[u] for u in users]),
                VIDEO_ID: strings([VIDEOS[v] for v in items]),
                LABEL: pa.array(labels, pa.int8()),
            }
        ),
    )


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return encode_tables(tables(), FEATURES, CONFIG)


def by_id(dataset: Dataset, pairs: Pairs) -> set[tuple[str, str]]:
    users = [dataset.users.ids[i - 1] for i in pairs.user]
    videos = [dataset.videos.ids[i - 1] for i in pairs.video]
    return set(zip(users, videos, strict=True))


def labelled(label: int) -> set[tuple[str, str]]:
    return {(USERS[u], VIDEOS[v]) for u, v, given in PAIRS if given == label}


def test_vocabularies_are_by_frequency_then_name_descending(dataset: Dataset) -> None:
    assert {name: list(values) for name, values in dataset.vocabularies.items()} == {
        "gender": ["f", "x", "m"],
        "author": ["c", "b", "z", "a"],
        "tags": ["sky", "sea", "ice", "sun"],
    }


def test_rows_keep_the_order_of_the_tables(dataset: Dataset) -> None:
    assert list(dataset.users.ids) == USERS
    assert list(dataset.videos.ids) == VIDEOS


def test_single_categories_are_positions_in_their_vocabulary(dataset: Dataset) -> None:
    gender, author = dataset.users.columns["gender"], dataset.videos.columns["author"]
    assert gender.dtype == author.dtype == np.int32
    assert gender.tolist() == [0, 1, 0, 3, 1, 2, 0]
    assert author.tolist() == [0, 4, 2, 0, 1, 2, 1, 3, 0]


def test_multivalued_categories_are_padded_with_zeros(dataset: Dataset) -> None:
    tags = dataset.videos.columns["tags"]
    assert tags.dtype == np.int32
    assert tags[1:-1].tolist() == [
        [2, 1, 0],
        [0, 0, 0],
        [1, 0, 0],
        [4, 2, 3],
        [1, 0, 0],
        [0, 0, 0],
        [3, 0, 0],
    ]


def test_vectors_have_length_one_and_missing_ones_are_zero(dataset: Dataset) -> None:
    look = dataset.videos.columns["look"]
    assert look.dtype == np.float32
    for row, vector in zip(look[1:-1], LOOKS, strict=True):
        raw = np.array(vector or [0, 0, 0], np.float64)
        np.testing.assert_allclose(
            row, raw / (np.linalg.norm(raw) or 1), atol=1e-6, err_msg=str(vector)
        )


def test_the_missing_and_the_unknown_row_are_zeros(dataset: Dataset) -> None:
    for side in (dataset.users, dataset.videos):
        for name, column in side.columns.items():
            assert len(column) == side.size + 2, name
            assert not np.any(column[[0, side.unknown]]), name


def test_the_split_is_that_of_hold_out(dataset: Dataset) -> None:
    pairs = np.array(sorted(labelled(1)), object)
    held_out = hold_out(pairs[:, 0], pairs[:, 1], 0.4, 7)
    assert by_id(dataset, dataset.test) == {tuple(pair) for pair in pairs[held_out]}
    assert by_id(dataset, dataset.train) == {tuple(pair) for pair in pairs[~held_out]}
    assert len(dataset.test) > 3


def test_pairs_that_were_not_liked_go_to_shown(dataset: Dataset) -> None:
    assert by_id(dataset, dataset.impressions) == labelled(0)
    assert len(dataset.impressions) == len(labelled(0)) > 3


def test_every_pair_goes_to_one_place(dataset: Dataset) -> None:
    parts = (dataset.train, dataset.test, dataset.impressions)
    assert sum(len(part) for part in parts) == len(PAIRS)
    assert all(p.user.dtype == p.video.dtype == np.int32 for p in parts)


def test_columns_in_chunks_give_the_same_dataset(dataset: Dataset) -> None:
    whole = tables()
    halves = [whole.videos.slice(0, 3), whole.videos.slice(3)]
    chunked = Tables(whole.users, pa.concat_tables(halves), whole.interactions)
    found = encode_tables(chunked, FEATURES, CONFIG)
    for name, column in dataset.videos.columns.items():
        np.testing.assert_array_equal(found.videos.columns[name], column, name)
    assert by_id(found, found.test) == by_id(dataset, dataset.test)


def test_columns_without_any_value_are_missing_everywhere() -> None:
    found = encode_tables(
        tables(
            author=strings([None] * 7),
            tags=pa.array([None] * 7, pa.list_(pa.string())),
            look=pa.array([None] * 7, pa.list_(pa.float32(), 3)),
        ),
        FEATURES,
        CONFIG,
    )
    assert [len(found.vocabularies[name]) for name in ("author", "tags")] == [0, 0]
    assert found.videos.columns["look"].shape == (9, 3)
    for name, column in found.videos.columns.items():
        assert len(column) == 9, name
        assert not np.any(column), name


def test_pairs_have_times_where_they_are_held_out_in_time(dataset: Dataset) -> None:
    given = tables()
    time = pa.array(range(len(PAIRS)), pa.int64())
    timed = given.interactions.append_column(TIMESTAMP, time)
    given = dataclasses.replace(given, interactions=timed)
    in_time = encode_tables(given, FEATURES, EvaluationConfig(split="time"))
    of_train, of_test = in_time.train.time, in_time.test.time
    assert of_train is not None and of_test is not None
    assert of_train.max() < of_test.min()
    assert encode_tables(given, FEATURES, CONFIG).train.time is None
    validation = in_time.hold_out_validation(0.25, 1, EvaluationConfig(split="time"))
    assert validation.test.time is not None
    assert validation.test.time.min() == np.sort(of_train)[-(len(of_train) // 4)]
