"""Old pairs keep their scores where training begins with a saved model."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf.config import Config, EvaluationConfig, HistorySettings
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.errors import TrainingError
from uvcan_tf.features import USER_ID, VIDEO_ID, Categorical, Features, Numeric
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.export import export
from uvcan_tf.training.fit import fit
from uvcan_tf.training.warm_start import begin_with

Row = dict[str, Any]

MODEL = dataclasses.replace(worlds.SMALL_CONFIG.model, initial_stddev=0.3)
PLAIN = dataclasses.replace(worlds.SMALL_CONFIG, model=MODEL)
HISTORY = dataclasses.replace(PLAIN, history=HistorySettings(factors=3, facet=True))
FEATURES = dataclasses.replace(
    worlds.FEATURES, user=(*worlds.FEATURES.user, Numeric("age", "buckets", 2))
)
#: The bounds of the buckets part the young from the old in every world below.
USERS = [{**row, "age": 9.0 if n > 1 else 1.0} for n, row in enumerate(worlds.USERS)]
LIKES = [(user, f"v{number}") for user, row in worlds.LIKES for number in row]
#: Newcomers, with values of every attribute that nobody had before.
USER = {USER_ID: "zoe", "gender": "x", "place": "east", "age": 9.0}
VIDEO = {VIDEO_ID: "v99", "author": "a9", "tags": ["w", "x"], "look": [1.0, 0.0, 0.0]}


def dataset(
    users: list[Row],
    videos: list[Row],
    likes: list[tuple[str, str]] = LIKES,
    features: Features = FEATURES,
) -> Dataset:
    known = {USER_ID, *(f.name for f in features.user)}
    users = [{name: row[name] for name in row if name in known} for row in users]
    tables = worlds.tables(features, users, videos, likes)
    return encode_tables(tables, features, EvaluationConfig(held_out_fraction=0.25))


def built(data: Dataset, config: Config) -> UVCAN:
    model = UVCAN(data, config)
    model((tf.constant([1]), tf.constant([[1]])))
    return model


def scores(model: UVCAN) -> dict[tuple[str, str], float]:
    """Of all pairs whose user and video have something to learn from, by their ids."""
    data = model.dataset
    trained = data.trained_users[1:-1], data.trained_videos[1:-1]
    users, videos = (np.flatnonzero(known) for known in trained)
    rows = np.broadcast_to(videos + 1, [len(users), len(videos)])
    rated = model.rate(tf.constant(users + 1), tf.constant(rows))
    found = tf.sigmoid(rated.logits).numpy()
    return {
        (data.users.ids[u], data.videos.ids[v]): found[i, j]
        for i, u in enumerate(users)
        for j, v in enumerate(videos)
    }


@pytest.fixture(scope="module")
def old() -> UVCAN:
    return built(dataset(USERS, worlds.VIDEOS), PLAIN)


@pytest.fixture(scope="module")
def saved(old: UVCAN, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "1"
    export(old, old.dataset, None, PLAIN, folder)
    return folder


def grown(config: Config) -> UVCAN:
    """The same rows the other way round, and new ones in between."""
    users = [USER, *reversed(USERS)]
    videos = [*reversed(worlds.VIDEOS[5:]), VIDEO, *worlds.VIDEOS[:5]]
    likes = [*LIKES, *(("zoe", v) for v in ("v99", "v0", "v4"))]
    return built(dataset(users, videos, likes), config)


def expect_old_scores(old: UVCAN, new: UVCAN, pairs: int) -> None:
    before, after = scores(old), scores(new)
    both = before.keys() & after.keys()
    assert len(both) >= pairs
    assert np.std([before[pair] for pair in both]) > 1e-3
    for pair in both:
        assert after[pair] == pytest.approx(before[pair], abs=1e-6), pair


def test_old_pairs_keep_their_scores_in_a_grown_world(old: UVCAN, saved: Path) -> None:
    new = grown(PLAIN)
    begun = begin_with(saved, new)
    assert begun.warm
    assert begun.sentence == (
        f"Training begins with the model in {saved}, which knows 5 of the 6 users and "
        "11 of the 12 videos."
    )
    expect_old_scores(old, new, pairs=40)


def test_new_rows_stay_as_they_were_drawn(saved: Path) -> None:
    new, drawn = grown(PLAIN), grown(PLAIN)
    begin_with(saved, new)
    values = {"place": "east", "gender": "x"}
    for name, value in values.items():
        row = 1 + new.dataset.vocabularies[name].tolist().index(value)
        mapped, fresh = (
            m.network.user_embedding.table(name)[row] for m in (new, drawn)
        )
        np.testing.assert_array_equal(mapped, fresh)


def test_the_vectors_of_a_history_move_with_their_videos(tmp_path: Path) -> None:
    old = built(dataset(USERS, worlds.VIDEOS), HISTORY)
    export(old, old.dataset, None, HISTORY, tmp_path / "1")
    new = grown(HISTORY)
    assert begin_with(tmp_path / "1", new).warm
    expect_old_scores(old, new, pairs=40)


def test_old_pairs_keep_their_scores_in_a_shrunk_world(old: UVCAN, saved: Path) -> None:
    """Without the only video of tag z, and without a user."""
    users = [row for row in USERS if row[USER_ID] != "bob"]
    videos = [row for row in worlds.VIDEOS if "z" not in (row["tags"] or ())]
    left = {row[VIDEO_ID] for row in videos}
    likes = [(u, v) for u, v in LIKES if u != "bob" and v in left]
    new = built(dataset(users, videos, likes), PLAIN)
    assert begin_with(saved, new).warm
    expect_old_scores(old, new, pairs=9)


def test_the_vocabularies_of_transform_are_read_too(
    old: UVCAN, saved: Path, tmp_path: Path
) -> None:
    """A pipeline's model has them in files without a suffix."""
    folder = tmp_path / "1"
    shutil.copytree(saved, folder)
    for name in ("gender", "place", "author", "tags"):
        (folder / "assets" / f"{name}.txt").rename(folder / "assets" / name)
    new = grown(PLAIN)
    assert begin_with(folder, new).warm
    expect_old_scores(old, new, pairs=40)


def _with(**settings: Any) -> Config:
    return dataclasses.replace(
        PLAIN, model=dataclasses.replace(PLAIN.model, **settings)
    )


OTHERS = {
    "factors": (_with(factors=3), FEATURES, "has model.factors 5 instead of 3"),
    "hops": (_with(hops=1), FEATURES, "has model.hops 2 instead of 1"),
    "history": (HISTORY, FEATURES, "was trained without the section `history`"),
    "a feature more": (
        PLAIN,
        dataclasses.replace(FEATURES, user=(*FEATURES.user, Categorical("mood"))),
        "lacks mood",
    ),
    "a feature less": (
        PLAIN,
        dataclasses.replace(FEATURES, user=FEATURES.user[1:]),
        "has gender besides",
    ),
    "another order": (
        PLAIN,
        dataclasses.replace(FEATURES, user=FEATURES.user[::-1]),
        "has its features in another order",
    ),
    "other buckets": (
        PLAIN,
        dataclasses.replace(
            FEATURES, user=(*FEATURES.user[:2], Numeric("age", "buckets", 3))
        ),
        "has 2 buckets of 'age' instead of 3",
    ),
}


@pytest.mark.parametrize(("config", "features", "why"), OTHERS.values(), ids=OTHERS)
def test_a_model_of_another_shape_is_named_and_left_alone(
    saved: Path, config: Config, features: Features, why: str
) -> None:
    users = [{**row, "mood": "calm"} for row in USERS]
    new = built(dataset(users, worlds.VIDEOS, features=features), config)
    before = new.network.get_weights()
    begun = begin_with(saved, new)
    assert begun.sentence == f"Training begins anew: the model in {saved} {why}."
    assert not begun.warm
    for one, other in zip(before, new.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_no_saved_model_is_refused(old: UVCAN, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="should be a SavedModel.* Received: "):
        begin_with(tmp_path, old)


@pytest.mark.slow
def test_training_counts_what_it_began_with_as_epoch_0(
    old: UVCAN, saved: Path, tmp_path: Path
) -> None:
    training = dataclasses.replace(PLAIN.training, epochs=1, validation_fraction=0.3)
    told: list[str] = []
    config = dataclasses.replace(PLAIN, training=training)
    fit(old.dataset, config, tmp_path, told.append, start=saved)
    assert [sentence.split(":")[0] for sentence in told[1:]] == ["Epoch 0", "Epoch 1"]
    content = json.loads((tmp_path / "training.json").read_text())
    assert content["start"] == told[0]
    assert content["start"].startswith(f"Training begins with the model in {saved}")
