"""Chooses Keras 2 before any test module imports TensorFlow."""

import pytest

import uvcan_tf  # noqa: F401  (sets the switch on import)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How hard the drills try, and where pictures go; the Makefile names both."""
    parser.addoption("--kills", type=int, default=2, help="of the kill -9 drill")
    parser.addoption("--kills-seed", type=int, default=1, help="of their moments")
    parser.addoption("--screenshots", help="folder for the pictures of the browser")
