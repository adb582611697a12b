"""Every example in a docstring runs, and gives what it says."""

from __future__ import annotations

import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from tests import worlds
from tests.serving.conftest import options, save_toy

ROOT = Path(__file__).parents[1]
PACKAGES = ("uvcan_tf", "serving", "tfx_pipeline", "benchmarks")
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What an example may use without making it: small things of every kind."""
    from serving.server.app import Server
    from uvcan_tf.data.tables import write_tables
    from uvcan_tf.model.uvcan import UVCAN

    folder = tmp_path_factory.mktemp("doctests")
    likes = [(user, f"v{n}") for user, row in worlds.LIKES for n in row]
    made = worlds.tables(worlds.FEATURES, worlds.USERS, worlds.VIDEOS, likes)
    write_tables(folder / "tables", made, worlds.FEATURES)
    save_toy(folder / "toy" / "1")
    dataset = worlds.small()
    model = UVCAN(dataset, worlds.SMALL_CONFIG)
    model.rate(tf.constant([1]), tf.constant([[1]]))  # makes the weights
    with Server(options(folder / "toy", "uvcan")) as server:
        yield {
            "config": worlds.SMALL_CONFIG,
            "dataset": dataset,
            "folder": folder,
            "model": model,
            "tables": folder / "tables",
            "target": f"127.0.0.1:{server.port}",
        }


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, given: dict[str, Any]) -> None:
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    done = doctest.testmod(module, extraglobs=given, optionflags=flags)
    assert done.attempted > 0
    assert done.failed == 0
