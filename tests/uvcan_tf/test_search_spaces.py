"""Draws: defaults first, no point twice, and more trials begin with the same ones."""

from __future__ import annotations

from tests import worlds
from uvcan_tf import search_spaces as spaces
from uvcan_tf.config import Config
from uvcan_tf.search_spaces import attribute_popularity, draws, tuned

SPACE = {"a": (1, 2, 3), "b": (0.5, 0.7)}


def test_the_first_draw_is_the_defaults() -> None:
    assert draws(SPACE, 1, "x") == [{}]


def test_no_point_is_drawn_twice_and_the_space_is_exhausted() -> None:
    points = draws(SPACE, 99, "x")
    assert len(points) == 1 + 3 * 2
    assert len({tuple(p.items()) for p in points}) == len(points)
    assert all(p["a"] in SPACE["a"] and p["b"] in SPACE["b"] for p in points[1:])


def test_more_trials_begin_with_the_same() -> None:
    assert draws(SPACE, 5, "x")[:3] == draws(SPACE, 3, "x")
    assert draws(SPACE, 5, "x") != draws(SPACE, 5, "y")


def test_a_method_without_settings_has_one_trial() -> None:
    assert draws({}, 8, "x") == [{}]


def test_tuned_replaces_only_what_is_named() -> None:
    found = tuned(Config(), {"model.factors": 64, "training.l2": 0.1})
    assert (found.model.factors, found.training.l2) == (64, 0.1)
    assert found.evaluation == Config().evaluation
    assert found.training.learning_rate == Config().training.learning_rate


def test_the_neural_space_contains_the_papers_grid() -> None:
    papers = {
        "training.learning_rate": {1e-4, 1e-3, 1e-2, 1e-1},
        "training.l2": {0.0, 1e-3, 1e-2, 1e-1},
        "model.factors": {16, 32, 64},
    }
    assert all(values <= set(spaces.NEURAL[name]) for name, values in papers.items())


def test_attributes_to_group_by_are_the_datas_own() -> None:
    space = attribute_popularity(worlds.FEATURES)
    assert space["user"] == ("", "gender", "place")
    assert space["video"] == ("", "author", "tags")
