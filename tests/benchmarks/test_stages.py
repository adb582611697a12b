"""Every stage measures a tiny world, so that a run of an hour does not end early."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from benchmarks import (
    catalogue,
    growth,
    history,
    machine,
    sampling,
    training,
    two_stage,
    world,
)
from benchmarks.machine import Machine
from benchmarks.results import Figures
from uvcan_tf.config import Config, TrainingConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.sources.planted_world import Size
from uvcan_tf.data.sources.synthetic import generate

TINY = Size(11, 31, 97, 7, 5, 3, 3, 2, 2, 2)
CONFIG = Config(training=TrainingConfig(batch_size=16, negatives=2))
MACHINE = Machine(1e9, 1e8)


@pytest.fixture(scope="module")
def tiny() -> Dataset:
    return world.dataset(TINY)


def assert_positive(figures: Figures) -> None:
    assert figures
    for figure in figures.values():
        assert figure.value > 0 and math.isfinite(figure.value)


def test_the_world_has_the_size_asked_for(tiny: Dataset) -> None:
    assert (tiny.users.size, tiny.videos.size) == (11, 31)
    assert 0 < len(tiny.train + tiny.test) <= 97
    pairs = set(zip(tiny.train.user, tiny.train.video, strict=True))
    assert not pairs & set(zip(tiny.test.user, tiny.test.video, strict=True))


def test_the_machine_has_rates() -> None:
    assert_positive(machine.measure().figures())


def test_work_on_the_machine_takes_both_times() -> None:
    assert MACHINE.seconds(2e9, 3e8) == 5.0


@pytest.mark.slow
def test_both_ways_of_training_have_a_rate(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_STEPS", 3)
    monkeypatch.setattr(training, "_NAIVE_STEPS", 3)
    assert training.examples_per_s(tiny, CONFIG) > 0
    assert training.naive_examples_per_s(tiny, CONFIG) > 0


@pytest.mark.long
def test_a_history_is_measured_beside_the_paper(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_STEPS", 3)
    monkeypatch.setattr(training, "config", lambda pairs: CONFIG)
    monkeypatch.setattr(history, "_STEPS", 3)
    monkeypatch.setattr(history, "_USERS_A_STEP", 4)
    assert_positive(history.measure(tiny, tiny))


def test_draws_are_checked(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_DRAWS", 1000)
    monkeypatch.setattr(sampling, "_USERS_AT_ONCE", 64)
    assert_positive(sampling.measure(tiny, CONFIG, 1e5))


def test_an_observed_draw_is_noticed(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = sampling._observed(tiny)
    monkeypatch.setattr(sampling, "_observed", lambda dataset: every | True)
    monkeypatch.setattr(sampling, "_USERS_AT_ONCE", 64)
    with pytest.raises(AssertionError, match="Received: a like"):
        sampling.draw_and_check(tiny, 10)


def test_all_users_are_ranked(tiny: Dataset) -> None:
    assert_positive(catalogue.measure_ranking(tiny, MACHINE))


@pytest.mark.slow
def test_a_saved_model_answers_requests(tiny: Dataset) -> None:
    assert_positive(catalogue.measure_requests(tiny, MACHINE))


@pytest.mark.slow
def test_a_world_grows_through_all_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "config", lambda: CONFIG)
    figures = growth._measure_here("tiny", TINY)
    assert_positive(figures)
    assert {"tiny_training_mb", "tiny_peak_mb", "tiny_request_ms"} <= set(figures)


def test_memory_grows_with_videos_and_likes() -> None:
    more = dataclasses.replace(TINY, videos=62), dataclasses.replace(TINY, likes=194)
    for size in more:
        assert growth.bytes_of_training(size, CONFIG) > growth.bytes_of_training(
            TINY, CONFIG
        )
    # 5 facets of 32 factors: rows, blocks and two hops; two biases a facet; 64 hidden.
    one = growth.bytes_of_catalogue(more[0], Config()) / 31
    without = growth.bytes_of_catalogue(TINY, Config()) / 31
    assert one - without == 4 * (5 * 32 * 4 + 2 * 5 + 64)


@pytest.mark.slow
def test_two_stages_are_timed_and_their_recall_is_a_share(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two_stage, "_REQUESTS", 2)
    monkeypatch.setattr(two_stage, "_CANDIDATES", (17,))
    monkeypatch.setattr(two_stage, "_EPOCHS", 1)
    assert_positive(two_stage.measure_latency(tiny, 17))
    generate("tiny", tmp_path / "tables", seed=1)
    (figure,) = two_stage.measure_recall(tmp_path / "tables").values()
    assert 0 <= figure.value <= 1
