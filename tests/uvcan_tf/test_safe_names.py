"""Every column has a name that is safe everywhere, its own wherever that is."""

from __future__ import annotations

import inspect
import re

import hypothesis
import hypothesis.strategies as st
import pytest

from uvcan_tf.features import (
    KUAIRAND,
    MOVIELENS,
    PAPER,
    Categorical,
    Features,
    name_of,
)
from uvcan_tf.safe_names import safe_name, safe_names

ODD = [
    *(
        "home city",
        "größe",
        "a/b",
        "a:0",
        "日本",
        "2nd",
        "_x",
        "a.b",
        "a-b",
        "..",
        "%s",
    ),
    *("self", "prior", "inputs", "Inputs", "class", "None", "x" * 300),
]
SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@pytest.mark.parametrize("column", ["gender", "Gender", "a_b", "x__", "c3", "mask"])
def test_a_safe_column_keeps_its_name(column: str) -> None:
    assert safe_name(column) == column


@pytest.mark.parametrize("features", [PAPER, KUAIRAND, MOVIELENS])
def test_the_known_declarations_keep_their_names(features: Features) -> None:
    assert all(f.name == f.column for f in (*features.user, *features.video))


@pytest.mark.parametrize("column", ODD)
def test_an_odd_column_has_a_safe_name_that_tells_it(column: str) -> None:
    name = safe_name(column)
    assert name != column
    assert SAFE.fullmatch(name)
    assert safe_name(name) == name
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)


@hypothesis.given(st.lists(st.text(min_size=1), unique=True))
def test_no_two_names_are_equal_even_without_case(columns: list[str]) -> None:
    names = safe_names(columns, ["user_id"])
    assert list(names) == columns
    assert all(SAFE.fullmatch(name) for name in names.values())
    assert len({name.lower() for name in names.values()} - {"user_id"}) == len(columns)


def test_of_two_columns_that_differ_in_case_the_first_keeps_its_name() -> None:
    features = Features(
        (Categorical("Gender"), Categorical("gender")),
        (Categorical("GENDER"),),
        slices=("gender",),
    )
    first, second = features.user
    assert (first.name, first.column) == ("Gender", "Gender")
    assert (second.name, second.column) == (features.slices[0], "gender")
    assert re.fullmatch("gender_[0-9a-f]{8}", second.name)
    assert features.columns_of(features.user_facets) == ["user_id", "Gender", "gender"]


@pytest.mark.parametrize("column", ["gender", "home city", "K", "User_ID", "inputs"])
def test_the_name_of_one_column_is_that_of_its_feature(column: str) -> None:
    [feature] = Features((Categorical(column),), ()).user
    assert name_of(column) == feature.name
    assert feature.name.lower() not in {"k", "user_id", "inputs"}
