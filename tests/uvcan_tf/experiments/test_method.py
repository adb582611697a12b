"""Methods rank what was skipped as the evaluation says; variants differ in one thing.

Shapes: B users, V videos.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import worlds
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.evaluation.scorers import SKIPPED
from uvcan_tf.experiments import ablation
from uvcan_tf.experiments.method import Classical, Neural, Run
from uvcan_tf.experiments.methods import (
    BEST,
    HISTORY,
    IALS_ATTRIBUTES,
    PAPER,
    TABLE3,
)
from uvcan_tf.experiments.runs import has_other_parts

SHOWN = Pairs(np.array([1, 1], np.int32), np.array([3, 8], np.int32))
WORLD = dataclasses.replace(worlds.small(), impressions=SHOWN)
USERS = np.array([1, 2], np.int32)


class Zeros:
    """Every score is 0, in one array that it keeps."""

    def __init__(self, videos: int) -> None:
        self.kept = np.zeros([2, videos], np.float32)

    def scores(self, users: np.ndarray) -> np.ndarray:
        return self.kept


def lowered(last: bool | None, knows: bool) -> list[int]:
    zeros, seen = Zeros(WORLD.videos.size), []

    def build(dataset: Dataset, *_: Any) -> Zeros:
        seen.append(len(dataset.impressions))
        return zeros

    method = Classical("Zeros", {}, build, knows_impressions=knows)
    evaluation = EvaluationConfig(skipped_impressions_last=last)
    fitted = method.fit(WORLD, {}, Run(Path(), evaluation=evaluation))
    scores = fitted.scorer.scores(USERS)
    assert not zeros.kept.any()  # its array is its own
    assert not scores[1].any()
    told = knows or last is True
    assert seen == [len(WORLD.impressions) if told else 0]
    return [int(column) + 1 for column in np.flatnonzero(scores[0] == SKIPPED)]


@pytest.mark.parametrize(
    ("last", "knows", "expected"),
    [
        (None, False, []),
        (None, True, [3, 8]),
        (True, False, [3, 8]),
        (False, True, []),
    ],
)
def test_the_evaluation_decides_whose_skipped_impressions_come_last(
    last: bool | None, knows: bool, expected: list[int]
) -> None:
    assert lowered(last, knows) == expected


def test_who_knows_impressions_is_who_has_a_weight_for_them() -> None:
    known = {method.name for method in TABLE3 if method.knows_impressions}
    assert known == {
        "EASE+impressions",
        "iALS+impressions",
        "iALS+attributes",
        "UVCAN(best)",
    }


@pytest.mark.slow
@pytest.mark.parametrize("last", [True, False])
def test_early_stopping_ranks_as_the_test_does(tmp_path: Path, last: bool) -> None:
    """Where all that is held out was skipped, it ranks behind everything else."""
    ncf = next(method for method in TABLE3 if method.name == "NCF")
    world = worlds.checkerboard()[0]
    world = dataclasses.replace(world, impressions=world.train)
    evaluation = EvaluationConfig(skipped_impressions_last=last)
    run = Run(tmp_path, epochs=1, batch_size=64, evaluation=evaluation)
    ncf.fit(world, {}, run)
    found = json.loads((tmp_path / "training.json").read_text())
    assert (found["curve"][-1]["validation_hr@10"] == 0) is last


def flat(content: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(content, Mapping):
        return {path: content}
    return {
        name: value
        for key, part in content.items()
        for name, value in flat(part, f"{path}.{key}").items()
    }


def difference(first: Any, second: Any) -> set[str]:
    one, other = flat(first), flat(second)
    return {key for key in one | other if one.get(key) != other.get(key)}


def test_each_variant_takes_one_thing_away() -> None:
    run = Run(Path())
    whole = BEST.key({}, run)
    found = {
        labels["variant"]: difference(method.key(values, run), whole)
        for method, values, labels in ablation.variants({})
        if isinstance(method, Neural)
    }
    assert found.pop(ablation.WHOLE) == set()
    together = {
        "no attributes in the prior": {".prior.attribute_ridge"},
        ablation.NO_PRIOR: {key for key in flat(whole) if ".prior." in key},
        ablation.NO_HISTORY: {
            key
            for key, value in flat(whole).items()
            if ".history." in key and value is not None
        },
        ablation.AS_SCORED: {".evaluation.skipped_impressions_last"},
    }
    for variant, changed in found.items():
        if variant in together:
            assert changed == together[variant]
        else:
            assert len(changed) == 1, variant


def test_a_seed_decides_all_that_is_random(tmp_path: Path) -> None:
    values = BEST.key({}, Run(tmp_path, seed=7))
    assert (values["training"]["seed"], values["prior"]["seed"]) == (7, 7)


def test_a_settled_fit_stops_early_and_by_no_clock() -> None:
    run = Run(Path(), epochs=30, batch_size=64, time_limit_s=9.0, validation_users=7)
    settled = PAPER.settled({"training.l2": 0.1}, run)
    other = Run(Path(), epochs=2, batch_size=8, time_limit_s=1.0, validation_users=1)
    training = PAPER.key(settled, other)["training"]
    assert training["validation_fraction"] > 0
    assert (training["epochs"], training["batch_size"]) == (30, 64)
    assert (training["validation_users"], training["l2"]) == (7, 0.1)
    assert training["time_limit_s"] > 1e4


@pytest.mark.parametrize(
    ("prior", "expected"),
    [
        ({"factors": 64, "attribute_ridge": 3.0}, False),
        ({"factors": 128, "attribute_ridge": 3.0}, True),  # chosen anew since
        ({"factors": 64}, True),  # by default today
    ],
)
def test_kept_settings_follow_what_is_chosen_for_the_parts(
    prior: dict[str, Any], expected: bool
) -> None:
    history = {"history.factors": 64, "model.factors": 32, "training.epochs": 20}
    kept = {**history, "prior.factors": 64, "prior.attribute_ridge": 3.0}
    chosen = {HISTORY.name: history, IALS_ATTRIBUTES.name: prior}
    assert has_other_parts(BEST, kept, chosen) is expected
    # Its own command does not know the parts.
    assert not has_other_parts(BEST, kept, {HISTORY.name: history})


def test_a_classical_method_follows_its_part_but_for_its_own_space() -> None:
    kept = {"factors": 64, "attribute_ridge": 10.0}
    [part] = IALS_ATTRIBUTES.over
    assert not has_other_parts(IALS_ATTRIBUTES, kept, {part.name: {"factors": 64}})
    assert has_other_parts(IALS_ATTRIBUTES, kept, {part.name: {"factors": 256}})
