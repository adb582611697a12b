"""One family: whoever catches its head catches every member."""

from __future__ import annotations

import inspect

import pytest

from uvcan_tf import config, errors, features
from uvcan_tf.errors import UvcanError

MEMBERS = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("member", MEMBERS)
def test_every_error_belongs_to_the_family(member: type[Exception]) -> None:
    assert issubclass(member, UvcanError)
    assert issubclass(member, ValueError)


def test_the_tree_at_the_top_draws_the_whole_family() -> None:
    defined = {name for name, _ in inspect.getmembers(errors, inspect.isclass)}
    assert defined == set(errors.__all__)
    assert all(name in (errors.__doc__ or "") for name in defined)


def test_the_old_places_still_have_their_errors() -> None:
    assert config.ConfigError is errors.ConfigError
    assert features.DeclarationError is errors.DeclarationError
