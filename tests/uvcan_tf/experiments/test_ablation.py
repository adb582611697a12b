"""Each row of the ablation takes one thing away, and nothing else changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests import worlds
from uvcan_tf import presets
from uvcan_tf.config import HistorySettings
from uvcan_tf.experiments.ablation import (
    AS_SCORED,
    NETWORK_ALONE,
    NO_ATTRIBUTES,
    NO_HISTORY,
    NO_PRIOR,
    PRIOR_ALONE,
    PRODUCT_ALONE,
    WHOLE,
    WHOLE_HISTORY,
    WITHOUT,
    WITHOUT_HISTORY,
    variants,
    variants_of_history,
)
from uvcan_tf.experiments.method import Neural, Run

CHOSEN = {
    "training.learning_rate": 0.002,
    "model.hops": 2,
    "history.factors": 64,
    "prior.factors": 32,
    "prior.attribute_pull": 0.5,
}
RUN = Run(Path("unused"), epochs=17)
LAST = "evaluation.skipped_impressions_last"


def flat(content: dict[str, Any], before: str = "") -> dict[str, Any]:
    found = {}
    for name, value in content.items():
        inner = flat(value, f"{before}{name}.") if isinstance(value, dict) else None
        found |= {f"{before}{name}": value} if inner is None else inner
    return found


def settings() -> dict[str, dict[str, Any]]:
    """All settings of a fit of every variant with a network, by its name."""
    return {
        named["variant"]: flat(dataclasses.asdict(method._config(values, RUN)))
        for method, values, named in variants(CHOSEN)
        if isinstance(method, Neural)
    }


def changed(variant: str) -> set[str]:
    whole, other = settings()[WHOLE], settings()[variant]
    return {name for name in whole | other if whole.get(name) != other.get(name)}


@pytest.mark.parametrize("variant", [name for name in WITHOUT if name != WHOLE])
def test_a_row_changes_what_it_says(variant: str) -> None:
    assert changed(variant) == set(WITHOUT[variant])


def test_without_its_prior_the_network_still_ranks_skipped_impressions_last() -> None:
    assert {name.partition(".")[0] for name in changed(NO_PRIOR)} == {"prior"}
    assert settings()[NO_PRIOR][LAST] is True


def test_without_likes_everything_else_stays() -> None:
    sections = {name.partition(".")[0] for name in changed(NO_HISTORY)}
    assert sections == {"history"}


def test_not_ranking_them_last_is_a_row_of_its_own() -> None:
    assert changed(AS_SCORED) == {LAST}


def test_every_network_is_trained_until_validation_says_stop() -> None:
    for found in settings().values():
        assert found["training.validation_fraction"] > 0
        assert found["training.epochs"] == 17


def test_the_prior_alone_has_the_priors_own_settings() -> None:
    [(_, values)] = [
        (method, values)
        for method, values, named in variants(CHOSEN)
        if named["variant"] == PRIOR_ALONE
    ]
    assert (values["factors"], values["attribute_pull"]) == (32, 0.5)


OF_HISTORY = {
    "training.learning_rate": 0.004,
    "history.factors": 64,
}


OF_PRODUCT = {"factors": 64, "learning_rate": 0.008, "epochs": 9}


def rows_of_history() -> dict[str, Any]:
    jobs = variants_of_history(OF_HISTORY, OF_PRODUCT)
    return {named["variant"]: (method, values) for method, values, named in jobs}


def of_history() -> dict[str, dict[str, Any]]:
    return {
        variant: flat(dataclasses.asdict(method._config(values, RUN)))
        for variant, (method, values) in rows_of_history().items()
        if isinstance(method, Neural)
    }


@pytest.mark.parametrize(
    ("variant", "expected"),
    [*((name, set(less)) for name, less in WITHOUT_HISTORY.items())],
)
def test_a_row_of_the_history_changes_what_it_says(
    variant: str, expected: set[str]
) -> None:
    found = of_history()
    whole, other = found[WHOLE_HISTORY], found[variant]
    assert {name for name in whole if whole[name] != other[name]} == expected


def test_every_switch_of_the_history_has_a_row() -> None:
    switches = {
        f"history.{name}"
        for name, value in dataclasses.asdict(HistorySettings()).items()
        if isinstance(value, bool)
    }
    assert switches | {"history.dropout"} == {
        name
        for less in WITHOUT_HISTORY.values()
        for name in less
        if name.startswith("history.")
    }


def test_without_a_history_everything_else_stays() -> None:
    found = of_history()
    whole, other = found[WHOLE_HISTORY], found[NETWORK_ALONE]
    changed = {name for name in whole if whole[name] != other.get(name)}
    assert {name.partition(".")[0] for name in changed} == {"history"}


def test_the_product_alone_has_the_products_own_settings() -> None:
    _, values = rows_of_history()[PRODUCT_ALONE]
    assert values == OF_PRODUCT


def test_without_attributes_only_ids_and_likes_are_known() -> None:
    method, _ = rows_of_history()[NO_ATTRIBUTES]
    whole = rows_of_history()[WHOLE_HISTORY][0]
    assert method.config == whole.config
    model = method.build(worlds.small(), presets.history())
    assert [facet.name for facet in model.network.user] == ["user_id", "liked_videos"]
    assert [facet.name for facet in model.network.video] == ["video_id"]
