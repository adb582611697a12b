"""What holds for every test: Keras 2, options, and how examples are tried."""

import gc
import sys
from collections.abc import Iterator

import hypothesis
import pytest

import uvcan_tf  # noqa: F401  (sets the switch on import)

# How long an example takes says more of the machine than of what is tested.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


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


@pytest.fixture(scope="session", autouse=True)
def _float32_is_float32() -> None:
    """A GPU rounds the factors of products to 10 bits, more than tests allow."""
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.config.experimental.enable_tensor_float_32_execution(False)
