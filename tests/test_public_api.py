"""The public names are a list that is written by hand, and cheap until used."""

from __future__ import annotations

import doctest
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import uvcan_tf

NAMES = [
    "Categorical",
    "Config",
    "Dataset",
    "Dense",
    "Features",
    "Numeric",
    "RecommenderClient",
    "UVCAN",
    "UvcanError",
    "evaluate",
    "export",
    "fit",
    "read_dataset",
]
_CHEAP = """
import sys
import uvcan_tf
uvcan_tf.Config(), uvcan_tf.Features((), ())
light = {"tensorflow", "grpc", "pyarrow", "pandas", "numpy"} & set(sys.modules)
assert not light, light
uvcan_tf.RecommenderClient
heavy = {"tensorflow", "pyarrow", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_public_names_are_these() -> None:
    assert uvcan_tf.__all__ == ["__version__", *NAMES]
    assert dir(uvcan_tf) == sorted(uvcan_tf.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example(name: str) -> None:
    documentation = getattr(uvcan_tf, name).__doc__
    assert doctest.DocTestParser().get_examples(documentation)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Feature'"):
        _ = uvcan_tf.Feature


def test_settings_and_the_client_come_without_tensorflow() -> None:
    subprocess.run([sys.executable, "-c", _CHEAP], check=True)


def test_type_checkers_see_the_same_names() -> None:
    text = Path(uvcan_tf.__file__).read_text(encoding="utf-8")
    assert [f" import {name} as {name}\n" in text for name in NAMES] == [True] * len(
        NAMES
    )


def test_the_version_stands_in_one_place() -> None:
    root = Path(__file__).parents[1]
    assert f'\nversion: "{uvcan_tf.__version__}"\n' in (
        root / "CITATION.cff"
    ).read_text(encoding="utf-8")
    assert f"\n## {uvcan_tf.__version__}" in (root / "CHANGELOG.md").read_text(
        encoding="utf-8"
    )
    try:
        installed = metadata.version("uvcan-tf")
    except metadata.PackageNotFoundError:
        return
    assert installed == uvcan_tf.__version__
