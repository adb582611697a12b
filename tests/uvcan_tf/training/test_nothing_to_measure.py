"""Where nothing can be compared, nothing is measured, and training says so."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf.config import Config, IALSSettings
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, Pairs
from uvcan_tf.errors import TrainingError
from uvcan_tf.training.fit import fit

VIDEOS = 11


def config(**settings: Any) -> Config:
    training = dataclasses.replace(worlds.SMALL_CONFIG.training, **settings)
    return dataclasses.replace(worlds.SMALL_CONFIG, training=training)


def run(
    dataset: Dataset, config: Config, folder: Path | None = None
) -> tuple[Any, list[str]]:
    said: list[str] = []
    return fit(dataset, config, folder, said.append), said


def with_likes_of(user: int, rest: Pairs = NO_PAIRS) -> Dataset:
    """The small world, where one user likes every video."""
    dataset = worlds.small()
    others = dataset.train.where(dataset.train.user != user)
    every = Pairs(np.full(VIDEOS, user, np.int32), np.arange(1, VIDEOS + 1, dtype="i4"))
    return dataclasses.replace(dataset, train=others + every, test=rest)


@pytest.mark.slow
def test_without_validation_pairs_no_figure_is_reported(tmp_path: Path) -> None:
    settings = config(validation_fraction=0.0, epochs=3, patience=1)
    model, said = run(worlds.small(), settings, tmp_path)
    assert "not measured: all 3 epochs are trained and the last one is kept" in said[0]
    assert [sentence.split(", ")[1] for sentence in said[1:]] == [
        "validation NDCG@100 not measured"
    ] * 3
    content = json.loads((tmp_path / "training.json").read_text())
    assert content["epochs"] == len(content["curve"]) == 3
    assert content["best_epoch"] is content["validation_ndcg@100"] is None
    assert not [name for epoch in content["curve"] for name in epoch if "ndcg" in name]
    tags = {
        value.tag
        for path in tmp_path.rglob("events.out.tfevents*")
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    }
    assert tags
    assert not [tag for tag in tags if "ndcg" in tag]


@pytest.mark.slow
def test_a_killed_run_without_validation_pairs_trains_the_epochs_left(
    tmp_path: Path,
) -> None:
    settings = config(validation_fraction=0.0, epochs=2, patience=1)
    run(worlds.small(), settings, tmp_path)
    longer = config(validation_fraction=0.0, epochs=4, patience=1)
    resumed, said = run(worlds.small(), longer, tmp_path)
    assert [sentence.split(":")[0] for sentence in said[2:]] == ["Epoch 3", "Epoch 4"]
    whole, _ = run(worlds.small(), longer)
    for one, other in zip(
        resumed.network.get_weights(), whole.network.get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("softmax", [False, True])
def test_a_user_who_likes_every_video_is_left_out_of_training(softmax: bool) -> None:
    settings = config(
        validation_fraction=0.0, softmax=softmax, popular_negatives=0.5 * softmax
    )
    dataset = with_likes_of(user=2)
    model, said = run(dataset, settings)
    assert said[0] == (
        "1 of 4 users like all 11 videos, so nothing is left to compare their likes "
        "with: these likes are not trained on."
    )
    others = int((dataset.train.user != 2).sum())
    batch = model.batches.draw(
        tf.range(others, dtype=tf.int64), tf.constant(0, tf.int64), drop_ids=False
    )
    assert 2 not in batch.users.numpy()
    assert len(set(zip(batch.users.numpy(), batch.videos.numpy()[:, 0]))) == others  # noqa: B905  (as long as each other)


def test_impressions_are_negatives_of_a_user_who_has_no_others() -> None:
    every = with_likes_of(user=2)
    mine = every.train.user == 2
    liked = mine & (every.train.video > 3)
    dataset = dataclasses.replace(
        every,
        train=every.train.where(~mine | liked),
        impressions=every.train.where(mine & ~liked),
    )
    settings = dataclasses.replace(
        config(validation_fraction=0.0),
        prior=IALSSettings(factors=3, impression_weight=0.5),
    )
    model, _ = run(dataset, settings)
    positions = tf.range(len(dataset.train), dtype=tf.int64)
    batch = model.batches.draw(positions, tf.constant(0, tf.int64), drop_ids=False)
    drawn = batch.videos.numpy()[batch.users.numpy() == 2, 1:]
    assert drawn.size
    assert set(drawn.ravel()) <= {1, 2, 3}


def test_a_world_where_everyone_likes_everything_is_refused() -> None:
    rows = np.arange(1, VIDEOS + 1, dtype=np.int32)
    user, video = (x.ravel() for x in np.meshgrid(np.int32([1, 2]), rows))
    whole, held_out = Pairs(user, video), video > 8
    dataset = dataclasses.replace(
        worlds.small(), train=whole.where(~held_out), test=whole.where(held_out)
    )
    with pytest.raises(TrainingError, match="every user likes all 11 videos. Add vid"):
        run(dataset, config())


def test_validation_leaves_out_whoever_has_no_rival() -> None:
    settings = config(validation_fraction=0.1, epochs=1)
    alone = with_likes_of(user=2)
    alone = dataclasses.replace(
        alone, train=alone.train.where(alone.train.user == 2), test=NO_PAIRS
    )
    some = alone.train + Pairs(np.int32([1]), np.int32([1]))
    _, said = run(dataclasses.replace(alone, train=some), settings)
    assert "not measured" in said[0]
