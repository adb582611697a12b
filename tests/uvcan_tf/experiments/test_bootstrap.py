"""The bootstrap finds what is there, and nothing where nothing is.

Shapes: P pairs, D comparisons.
"""

from __future__ import annotations

import numpy as np
import pytest

from uvcan_tf.experiments.bootstrap import paired_bootstrap

USERS = np.repeat(np.arange(200, dtype=np.int32), 3)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=len(USERS))


def test_the_difference_is_the_mean_over_pairs() -> None:
    columns = np.stack([noise(1), noise(2) + 5], axis=1)
    found = [d for d, _ in paired_bootstrap(columns, USERS, 11)]
    assert found == pytest.approx(columns.mean(axis=0))


def test_a_large_difference_is_as_improbable_as_the_resamples_can_say() -> None:
    columns = np.stack([noise(1) + 3, noise(1) - 3], axis=1)
    for _, p_value in paired_bootstrap(columns, USERS, 999):
        assert p_value == pytest.approx(2 / 1000)


def test_no_difference_at_all_is_certain() -> None:
    (same,) = paired_bootstrap(np.zeros([len(USERS), 1]), USERS, 99)
    assert same == (0.0, 1.0)


def test_under_chance_p_values_are_spread_evenly() -> None:
    columns = np.stack([noise(seed) for seed in range(400)], axis=1)
    p = np.array([p for _, p in paired_bootstrap(columns, USERS, 500)])
    assert 0.02 < (p < 0.05).mean() < 0.1
    assert p.mean() == pytest.approx(0.5, abs=0.06)


def test_pairs_of_one_user_count_as_one_draw() -> None:
    """A user's many equal pairs are no evidence of their own."""
    one_voice = np.concatenate([np.ones(3), np.full(3, -0.5), np.full(3, -0.5)])
    users = np.repeat(np.arange(3, dtype=np.int32), 3)
    often = np.tile(one_voice[:, None], (50, 1))
    (few,) = paired_bootstrap(one_voice[:, None] + 0.1, users, 2000)
    (many,) = paired_bootstrap(often + 0.1, np.tile(users, 50), 2000)
    assert few.p_value == pytest.approx(many.p_value, abs=0.02)


def test_the_seed_decides() -> None:
    column = noise(4)[:, None] + 0.05
    first, same, other = (
        paired_bootstrap(column, USERS, 300, seed)[0].p_value for seed in (1, 1, 2)
    )
    assert first == same != other
