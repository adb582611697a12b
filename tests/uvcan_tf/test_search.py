"""A search keeps its trials, goes on after a kill, and prefers what it was given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from uvcan_tf.errors import ConfigError, TrainingError
from uvcan_tf.search import Search
from uvcan_tf.search_spaces import Values
from uvcan_tf.training.fit import MONITOR

POINTS: list[Values] = [{"a": 5}, {"a": 2}, {"a": 7}, {"a": 3}]


class Measured:
    """Gives what it is told to for each `a`, and remembers what was asked."""

    def __init__(self, figures: Mapping[int, float | BaseException]) -> None:
        self.figures = figures
        self.asked: list[int] = []

    def __call__(self, values: Values, folder: Path) -> dict[str, float]:
        self.asked.append(values["a"])
        found = self.figures[values["a"]]
        if isinstance(found, BaseException):
            raise found
        return {MONITOR: found, "epochs": 10 + values["a"]}


def run(
    folder: Path, measure: Measured, points: list[Values] = POINTS
) -> tuple[Search, list[str]]:
    told: list[str] = []
    search = Search(points, measure, folder, told.append, "EASE")
    search.search()
    return search, told


def test_the_best_trial_is_chosen_with_all_that_was_measured(tmp_path: Path) -> None:
    search, told = run(tmp_path, Measured({5: 0.1, 2: 0.3, 7: 0.2, 3: 0.3}))
    best = search.best()
    assert best.values == {"a": 2}
    assert best.metrics[MONITOR] == 0.3
    assert best.metrics["epochs"] == 12
    assert best.metrics["seconds"] >= 0
    assert told[0].startswith("[1/4] EASE, the given settings: validation NDCG@100 0.1")
    assert told[1].startswith("[2/4] EASE, a=2: validation NDCG@100 0.3000 in")
    assert len(told) == 4


def test_of_equal_trials_the_given_settings_are_kept(tmp_path: Path) -> None:
    search, _ = run(tmp_path, Measured({5: 0.2, 2: 0.2, 7: 0.0, 3: 0.2}))
    assert search.best().values == {"a": 5}


def test_a_trial_that_cannot_be_trained_counts_as_nothing(tmp_path: Path) -> None:
    refused = TrainingError("The loss should be a number.")
    figures = {5: 0.1, 2: refused, 7: refused, 3: refused}
    search, told = run(tmp_path, Measured(figures))
    assert search.best().values == {"a": 5}
    assert "The loss should be a number." in told[1]


def test_a_fault_that_is_not_of_the_trial_ends_the_search(tmp_path: Path) -> None:
    fault = ConfigError("`training.epochs` should be a positive int.")
    with pytest.raises(ConfigError, match=r"`training\.epochs`"):
        run(tmp_path, Measured({5: 0.1, 2: fault}))


def test_a_killed_search_goes_on_with_the_unfinished_trial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Measured({5: 0.1, 2: KeyboardInterrupt()}))
    rest = Measured({2: 0.3, 7: 0.2, 3: 0.4})
    search, _ = run(tmp_path, rest)
    assert rest.asked == [2, 7, 3]
    assert search.best().values == {"a": 3}
    assert capsys.readouterr().out == ""


def test_more_trials_go_on_where_fewer_ended(tmp_path: Path) -> None:
    run(tmp_path, Measured({5: 0.1, 2: 0.3}), POINTS[:2])
    points = [*POINTS, *({"a": a} for a in range(10, 18))]  # two digits of trials
    rest = Measured({7: 0.2, 3: 0.2, **{a: 0.0 for a in range(10, 18)}})
    search, _ = run(tmp_path, rest, points)
    assert rest.asked == [7, 3, *range(10, 18)]
    assert search.best().values == {"a": 2}
    finished = Measured({})
    run(tmp_path, finished, points)
    assert finished.asked == []
