"""A cell is kept apart for everything that decides its figures, and for nothing else.

Shapes: B users, V videos.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import worlds
from uvcan_tf.config import Config, EvaluationConfig
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.evaluation.ranking import FULL
from uvcan_tf.experiments.cells import Cell, Cells
from uvcan_tf.experiments.kept import KeptSettings
from uvcan_tf.experiments.method import Classical, Neural
from uvcan_tf.experiments.methods import BEST, HISTORY
from uvcan_tf.experiments.runs import _of_part, tune
from uvcan_tf.experiments.setting import Setting, table3_setting
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.search import Best
from uvcan_tf.training.fit import MONITOR

EVALUATION = EvaluationConfig(sampled_negatives=3, cutoffs=(10,))
SETTLED = {
    "training.epochs": 3,
    "training.validation_users": 1000,
    "training.batch_size": 2048,
    "training.time_limit_s": 1e6,
}
NEURAL = Neural("UVCAN(paper)", {}, UVCAN)


class Constant:
    """Every video of every user has the score."""

    def __init__(self, videos: int, score: float) -> None:
        self._videos, self._score = videos, score

    def scores(self, users: np.ndarray) -> np.ndarray:
        return np.full([len(users), self._videos], self._score, np.float32)


class Counted:
    """Builds scorers, and counts them."""

    def __init__(self) -> None:
        self.fits = 0

    def __call__(self, dataset: Dataset, values: Any, seed: int) -> Constant:
        self.fits += 1
        return Constant(dataset.videos.size, values.get("score", 0.0))


def cells(folder: Path, **others: Any) -> Cells:
    places = {"work": folder / "work", "out": folder / "out"}
    common = {"evaluation": EVALUATION, "say": lambda line: None}
    return Cells("small", "a command", **{**places, **common, **others})


def setting(dataset: Dataset | None = None) -> Setting:
    return table3_setting(dataset or worlds.small(), EVALUATION, 99)


def path(folder: Path, method: Any, values: Any = SETTLED, **others: Any) -> Path:
    return Cell(cells(folder, **others), setting(), method, values, 1).path


@pytest.mark.parametrize(
    "limit",
    [
        {"epochs": 7},
        {"batch_size": 64},
        {"trial_seconds": 9.0},
        {"validation_users": 3},
    ],
)
def test_a_fit_with_early_stopping_depends_on_its_limits(
    tmp_path: Path, limit: Any
) -> None:
    assert path(tmp_path, NEURAL, {}) != path(tmp_path, NEURAL, {}, **limit)


def test_a_settled_fit_is_read_by_any_command(tmp_path: Path) -> None:
    other = path(tmp_path, NEURAL, epochs=7, batch_size=64, trial_seconds=9.0)
    assert path(tmp_path, NEURAL) == other


def test_the_defaults_of_a_method_are_a_part_of_its_cell(tmp_path: Path) -> None:
    config = Config(model=worlds.SMALL_CONFIG.model)
    other = dataclasses.replace(NEURAL, config=config)
    assert path(tmp_path, NEURAL) != path(tmp_path, other)


def test_what_a_fit_stops_by_is_a_part_of_its_cell_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classical = Classical("Constant", {}, Counted())
    of_network, other = path(tmp_path, NEURAL), path(tmp_path, classical, {})
    monkeypatch.setattr("uvcan_tf.experiments.method.MONITOR", "validation_ndcg@10")
    assert path(tmp_path, NEURAL) != of_network
    assert path(tmp_path, classical, {}) == other


def test_trials_by_another_figure_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search whose trials are on disk goes on; these would be of another scale."""
    build, here = Counted(), cells(tmp_path, trials=1)
    classical = Classical("Constant", {"score": (1.0,)}, build)
    monkeypatch.setattr(KeptSettings, "write", lambda *_: None)
    for fits, name in ((1, MONITOR), (1, MONITOR), (2, "validation_ndcg@10")):
        for module in ("experiments.runs", "search"):
            monkeypatch.setattr(f"uvcan_tf.{module}.MONITOR", name)
        tune(here, setting(), [classical])
        assert build.fits == fits


def test_what_has_nothing_to_choose_is_not_searched(tmp_path: Path) -> None:
    build, here = Counted(), cells(tmp_path)
    for _ in range(2):
        assert tune(here, setting(), [Classical("Constant", {}, build)]) == {
            "Constant": {}
        }
    assert build.fits == 0
    content = json.loads(next(tmp_path.rglob("constant.json")).read_text())
    assert content["trials"] == 0
    assert MONITOR not in content


def test_impressions_and_attributes_are_a_part_of_the_data(tmp_path: Path) -> None:
    whole = worlds.small()
    shown = Pairs(np.array([1], np.int32), np.array([8], np.int32))
    gender = {**whole.users.columns, "gender": whole.users.columns["gender"][::-1]}
    others = (
        dataclasses.replace(whole, impressions=shown),
        dataclasses.replace(
            whole, users=dataclasses.replace(whole.users, columns=gender)
        ),
    )
    digests = {setting(dataset).whole.digest for dataset in (whole, *others)}
    assert len(digests) == 3


def test_a_cell_is_measured_once(tmp_path: Path) -> None:
    build = Counted()
    method = Classical("Constant", {}, build)
    cell = Cell(cells(tmp_path), setting(), method, {}, 1)
    first, again = cell.measured(), cell.measured()
    assert build.fits == 1
    for ranked, same in zip(
        first.ranks.by_protocol[FULL], again.ranks.by_protocol[FULL], strict=True
    ):
        np.testing.assert_array_equal(ranked, same)


def test_without_randomness_all_seeds_are_one_cell(tmp_path: Path) -> None:
    method = Classical("Constant", {}, Counted(), random=False)
    paths = {Cell(cells(tmp_path), setting(), method, {}, seed).path for seed in (1, 2)}
    assert len(paths) == 1


def test_trials_for_other_validation_users_are_others(tmp_path: Path) -> None:
    build = Counted()
    method = Classical("Constant", {"score": (1.0, 2.0)}, build)
    for number, users in enumerate((2, 3, 3)):
        part = table3_setting(worlds.checkerboard()[0], EVALUATION, users)
        tune(cells(tmp_path, out=tmp_path / str(number)), part, [method])
    assert build.fits == 2 * 3


def test_a_prior_has_the_settings_that_are_chosen_for_it_alone(tmp_path: Path) -> None:

    def build(dataset: Dataset, values: Any, seed: int) -> Any:
        """Knows what is validated on where it is told to."""
        scorer = Constant(dataset.videos.size, 0.0)
        if not values.get("right"):
            return scorer
        known = dataset.test.by_user(dataset.users.size)

        class Right:
            def scores(self, users: np.ndarray) -> np.ndarray:
                found = scorer.scores(users)
                for row, user in zip(found, users, strict=True):
                    row[known.of(int(user)) - 1] = 1.0
                return found

        return Right()

    alone = Classical("Alone", {"right": (False, True)}, build)
    named = {"right": "prior.right"}
    method = dataclasses.replace(NEURAL, over=(alone,), part=named)
    here = cells(tmp_path)
    assert _of_part(here, setting(), method) == {"prior.right": True}
    assert _of_part(here, setting(), NEURAL) == {}
    more = dataclasses.replace(alone, name="More", space={"more": (1,)}, over=(alone,))
    assert tune(here, setting(), [more])["More"]["right"]


def test_a_network_takes_over_what_its_part_has_chosen_and_it_can_take() -> None:
    chosen = {"factors": 64, "l2": 0.01, "learning_rate": 0.004, "epochs": 18}
    assert HISTORY.based_on(chosen) == {
        "history.factors": 64,
        "history.l2": 0.01,
    }
    assert BEST.based_on({"factors": 64, "attribute_pull": 1.0}) == {
        "prior.factors": 64,
        "prior.attribute_pull": 1.0,
    }
    chosen = {"history.l2": 0.01, "training.l2": 1e-6, "training.epochs": 20}
    assert BEST.based_on(chosen) == {"history.l2": 0.01, "training.l2": 1e-6}
    for method in (HISTORY, BEST):
        for part in method.over:
            taken = method.based_on(dict.fromkeys(part.space))
            assert taken
            assert not set(taken) & set(method.space)


def test_a_file_of_settings_is_for_the_search_it_tells_of(tmp_path: Path) -> None:
    best = Best({}, {MONITOR: 0.5, "seconds": 1.0})
    here = cells(tmp_path)
    KeptSettings(here, setting(), NEURAL).write(SETTLED, best)
    assert KeptSettings(here, setting(), NEURAL).read() == SETTLED
    for limit in ({"epochs": 31}, {"batch_size": 64}, {"validation_users": 1001}):
        assert KeptSettings(cells(tmp_path, **limit), setting(), NEURAL).read() is None
    for limit in ({"epochs": 29}, {"trial_seconds": 9.0}, {"validation_users": 999}):
        assert (
            KeptSettings(cells(tmp_path, **limit), setting(), NEURAL).read() == SETTLED
        )


def test_an_older_file_means_its_batch_size_and_fits_stop_early(
    tmp_path: Path,
) -> None:
    kept = KeptSettings(cells(tmp_path, batch_size=64), setting(), NEURAL)
    kept.path.parent.mkdir(parents=True)
    fixed = {"training.epochs": 3, "training.validation_fraction": 0.0}
    settings = {**fixed, "training.l2": 0.1}
    kept.path.write_text(json.dumps({"settings": settings, "trials": 8}))
    assert kept.read() == {"training.batch_size": 2048, "training.l2": 0.1}
