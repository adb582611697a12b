"""Chooses Keras 2 before any test module imports TensorFlow."""

import gc
from collections.abc import Iterator

import pytest

import uvcan_tf  # noqa: F401  (sets the switch on import)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How hard the drills try, and where pictures go; the Makefile names both."""
    parser.addoption("--kills", type=int, default=2, help="of the kill -9 drill")
    parser.addoption("--kills-seed", type=int, default=1, help="of their moments")
    parser.addoption("--screenshots", help="folder for the pictures of the browser")


@pytest.fixture(scope="module", autouse=True)
def _what_stays_is_not_searched_again() -> Iterator[None]:
    """Keeps the collector fast: TensorFlow leaves millions of objects in a process."""
    gc.collect()
    gc.freeze()
    yield
