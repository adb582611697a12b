"""A profile of some steps lies where TensorBoard looks for it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf.config import Config
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.fit import fit
from uvcan_tf.training.tensorboard.board import Logs
from uvcan_tf.training.tensorboard.profile import Profile

pytestmark = pytest.mark.slow


def config(*steps: int) -> Config:
    training = dataclasses.replace(
        worlds.SMALL_CONFIG.training, epochs=2, batch_size=8, profile_steps=steps
    )
    return dataclasses.replace(worlds.SMALL_CONFIG, training=training)


def profiles(folder: Path) -> list[Path]:
    return list(folder.glob("plugins/profile/*/*.xplane.pb"))


def test_the_steps_asked_for_are_recorded(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "boards" / "run-1")
    fit(worlds.small(), config(2, 3), tmp_path / "run", logs=logs)
    (file,) = profiles(logs.folder)
    assert b"ResourceApplyAdam" in file.read_bytes()


def test_steps_that_never_come_are_told(tmp_path: Path) -> None:
    told: list[str] = []
    fit(worlds.small(), config(500, 600), tmp_path, told.append)
    assert profiles(tmp_path / "logs") == []
    assert any("begins at 500" in sentence for sentence in told)


def test_a_training_that_fails_ends_its_profile(tmp_path: Path) -> None:
    model = UVCAN(worlds.small(), config())
    for number in (1, 2):  # a second profile cannot begin while one runs
        logs = Logs(tmp_path / str(number))
        profile = Profile(model, (1, 9), logs, print)
        with pytest.raises(ZeroDivisionError), profile.session():
            profile.on_train_begin()
            profile.on_train_batch_begin(0)
            tf.zeros([2]) + 1
            raise ZeroDivisionError
        assert len(profiles(logs.folder)) == 1
