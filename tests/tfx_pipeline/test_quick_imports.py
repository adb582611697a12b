"""The collector is off while importing, and as it was afterwards."""

from __future__ import annotations

import gc

import pytest

from tfx_pipeline.quick_imports import quick_imports


@pytest.fixture(autouse=True)
def _collector_as_it_was():
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_off_within_and_as_before_after_a_failure(on: bool) -> None:
    if not on:
        gc.disable()
    with pytest.raises(ImportError), quick_imports():
        assert not gc.isenabled()
        import no_such_module  # noqa: F401
    assert gc.isenabled() is on


def test_what_was_made_within_is_not_looked_through_again() -> None:
    with quick_imports():
        made = [[] for _ in range(1000)]
    assert gc.get_freeze_count() >= len(made)
