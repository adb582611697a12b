"""Each setting is refused in a sentence that names it."""

from __future__ import annotations

import pytest

from uvcan_tf.errors import ConfigError
from uvcan_tf.validators import (
    require_count,
    require_first_and_last,
    require_not_negative,
    require_number,
    require_positive,
)


@pytest.mark.parametrize("value", [0, -3, 2.0, True, None])
def test_a_count_is_a_positive_int(value: object) -> None:
    require_count("k", 1)
    with pytest.raises(ConfigError, match=f"positive int. Received: k={value!r}."):
        require_count("k", value)


@pytest.mark.parametrize("value", [(3,), (3, 2), (0, 2), (1, 2, 3), 5])
def test_a_first_and_a_last_come_in_their_order(value: object) -> None:
    for good in ((), (2, 2), (2, 3)):
        require_first_and_last("steps", good)
    with pytest.raises(ConfigError, match="`steps` should be"):
        require_first_and_last("steps", value)


@pytest.mark.parametrize("value", [0, -1.5, float("nan"), float("inf")])
def test_a_positive_number_is_finite_and_above_zero(value: float) -> None:
    require_positive("l2", 1e-9)
    with pytest.raises(ConfigError, match="`l2` should be a positive number"):
        require_positive("l2", value)


@pytest.mark.parametrize("value", [-1e-9, float("nan"), float("inf")])
def test_a_number_of_at_least_zero_is_finite(value: float) -> None:
    require_not_negative("shrinkage", 0)
    with pytest.raises(ConfigError, match="`shrinkage` should be a number of at"):
        require_not_negative("shrinkage", value)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_share_lies_between_zero_and_one(value: float) -> None:
    require_number("id_dropout", 1, 0, 1)
    with pytest.raises(ConfigError, match="`id_dropout` should be a number from 0 to"):
        require_number("id_dropout", value, 0, 1)


@pytest.mark.parametrize("value", ["0.5", True, None])
def test_what_is_no_number_is_refused_as_one(value: object) -> None:
    for check in (require_positive, require_not_negative):
        with pytest.raises(ConfigError, match="`alpha` should be a .*number"):
            check("alpha", value)
