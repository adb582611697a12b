"""Tiny worlds made by hand, small enough to train in seconds.

`SMALL` has every kind of feature and every kind of gap; `checkerboard` has a right
answer that only the pairing of two features gives; `planted` has one facet of a video
that matters among others that do not.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from uvcan_tf.config import Config, EvaluationConfig, ModelConfig, TrainingConfig
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.tables import Tables
from uvcan_tf.features import (
    LABEL,
    USER_ID,
    VIDEO_ID,
    Categorical,
    Dense,
    Features,
    Numeric,
)

FEATURES = Features(
    user=(Categorical("gender"), Categorical("place")),
    video=(
        Categorical("author"),
        Categorical("tags", multivalued=True),
        Dense("look", 3),
    ),
    popularity_of="author",
)
USERS: list[dict[str, Any]] = [
    {USER_ID: "ann", "gender": "f", "place": "north"},
    {USER_ID: "bob", "gender": "m", "place": "south"},
    {USER_ID: "cat", "gender": "f", "place": None},
    {USER_ID: "dan", "gender": None, "place": None},
    {USER_ID: "eve", "gender": "f", "place": "south"},
]
VIDEOS: list[dict[str, Any]] = [
    {
        VIDEO_ID: f"v{number}",
        "author": None if number == 4 else f"a{number % 3}",
        "tags": [["x"], ["x", "y"], ["z", "y", "x"], None][number % 4],
        "look": None if number % 5 == 2 else [1.0, float(number), 2.0 - number],
    }
    for number in range(11)
]
LIKES = [
    ("ann", [0, 1, 3, 6, 9]),
    ("bob", [2, 4, 5, 7, 8, 10]),
    ("cat", [0, 3, 5, 6, 10]),
    ("dan", [1, 2, 4, 8, 9]),
]
SMALL_CONFIG = Config(
    model=ModelConfig(factors=5, hops=2, hidden=(7, 5, 3)),
    training=TrainingConfig(
        learning_rate=0.01, batch_size=8, negatives=2, epochs=2, patience=9
    ),
    evaluation=EvaluationConfig(sampled_negatives=7, cutoffs=(1, 3)),
)


def tables(
    features: Features,
    users: list[dict[str, Any]],
    videos: list[dict[str, Any]],
    likes: list[tuple[str, str]],
) -> Tables:
    """Canonical tables of handmade rows."""
    kinds: dict[str, pa.DataType] = {USER_ID: pa.string(), VIDEO_ID: pa.string()}
    for feature in (*features.user, *features.video):
        if isinstance(feature, Dense):
            kinds[feature.name] = pa.list_(pa.float32(), feature.length)
        elif isinstance(feature, Numeric):
            kinds[feature.name] = pa.float32()
        else:
            many = feature.multivalued
            kinds[feature.name] = pa.list_(pa.string()) if many else pa.string()

    def table(rows: list[dict[str, Any]]) -> pa.Table:
        return pa.table(
            {n: pa.chunked_array([[r[n] for r in rows]], kinds[n]) for n in rows[0]}
        )

    pairs = pa.table(
        {
            USER_ID: pa.array([user for user, _ in likes], pa.string()),
            VIDEO_ID: pa.array([video for _, video in likes], pa.string()),
            LABEL: pa.array([1] * len(likes), pa.int8()),
        }
    )
    return Tables(table(users), table(videos), pairs)


def small() -> Dataset:
    """Five users, of whom one likes nothing, and eleven videos."""
    likes = [(user, f"v{number}") for user, row in LIKES for number in row]
    config = EvaluationConfig(held_out_fraction=0.25)
    return encode_tables(tables(FEATURES, USERS, VIDEOS, likes), FEATURES, config)


def checkerboard(
    users: int = 48, videos: int = 60, share: float = 0.5
) -> tuple[Dataset, Pairs, Pairs]:
    """Likes iff the user's colour is the video's shade; the rest is noise.

    Returns:
      The dataset, which holds a share of all likes; the likes it does not hold; as
      many pairs of opposite colours.
    """
    features = Features((Categorical("colour"),), (Categorical("shade"),))
    colours = ("black", "white")
    rng = np.random.default_rng(3)
    people = [{USER_ID: f"u{i}", "colour": colours[i % 2]} for i in range(users)]
    films = [{VIDEO_ID: f"v{j}", "shade": colours[j % 2]} for j in range(videos)]
    agree = [(i, j) for i in range(users) for j in range(videos) if (i - j) % 2 == 0]
    differ = [(i, j) for i in range(users) for j in range(videos) if (i - j) % 2]
    chosen = rng.random(len(agree)) < share
    likes = [(f"u{i}", f"v{j}") for (i, j), c in zip(agree, chosen, strict=True) if c]
    dataset = encode_tables(
        tables(features, people, films, likes), features, EvaluationConfig()
    )
    dataset = dataclasses.replace(dataset, train=dataset.train + dataset.test)
    unseen = [pair for pair, c in zip(agree, chosen, strict=True) if not c]
    return dataset, _pairs(unseen), _pairs(differ[: len(unseen)])


def planted(users: int = 48, videos: int = 60, share: float = 0.5) -> Dataset:
    """Users of three tastes like a share of the videos with the music of theirs.

    Neither the author nor the mood of a video has to do with it. User row u likes the
    music of video row v iff (u - v) % 3 == 0.
    """
    features = Features(
        (Categorical("taste"),),
        (Categorical("author"), Categorical("music"), Categorical("mood")),
    )
    rng = np.random.default_rng(1)
    noise = rng.integers(3, size=[videos, 2])
    people = [{USER_ID: f"u{i}", "taste": f"t{i % 3}"} for i in range(users)]
    films = [
        {VIDEO_ID: f"v{j}", "author": f"a{a}", "music": f"m{j % 3}", "mood": f"o{o}"}
        for j, (a, o) in enumerate(noise)
    ]
    likes = [
        (f"u{i}", f"v{j}")
        for i in range(users)
        for j in range(videos)
        if (i - j) % 3 == 0 and rng.random() < share
    ]
    return encode_tables(
        tables(features, people, films, likes), features, EvaluationConfig()
    )


def _pairs(positions: list[tuple[int, int]]) -> Pairs:
    rows = np.array(positions, np.int32) + 1
    return Pairs(rows[:, 0], rows[:, 1])


def example(row: dict[str, Any]) -> bytes:
    """A raw row as a serialized `tf.Example`; what is None is left out."""
    feature = {}
    for name, value in row.items():
        values = value if isinstance(value, list) else [value]
        if value is None:
            continue
        if isinstance(values[0], float):
            kind = tf.train.Feature(float_list=tf.train.FloatList(value=values))
        else:
            names = [text.encode() for text in values]
            kind = tf.train.Feature(bytes_list=tf.train.BytesList(value=names))
        feature[name] = kind
    message = tf.train.Example(features=tf.train.Features(feature=feature))
    return bytes(message.SerializeToString())
