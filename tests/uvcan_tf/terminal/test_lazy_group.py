"""The root command knows its commands without importing them."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from uvcan_tf.__main__ import group
from uvcan_tf.terminal.lazy_group import Lazy, LazyGroup

_HEAVY = """
import sys
from click.testing import CliRunner
from uvcan_tf.__main__ import group
result = CliRunner().invoke(group, {arguments!r})
assert result.exit_code == 0, result.output
heavy = {{"tensorflow", "pyarrow", "tfx", "apache_beam", "pandas"}} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["recommend", "--help"], ["explain", "--help"]],
    ids=" ".join,
)
def test_a_clients_command_starts_nothing_heavy(arguments: list[str]) -> None:
    code = _HEAVY.format(arguments=arguments)
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["data", "serve", "recommend", "rank", "explain"])
def test_every_word_finds_its_command(name: str) -> None:
    result = CliRunner().invoke(group, [name, "--help"])
    assert result.exit_code == 0
    assert f" {name} " in result.output.splitlines()[0]


def _lacking(missing: str) -> click.Group:
    """A group whose command `go` needs a package."""

    @click.command()
    def go() -> None:
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    sys.modules[__name__].go = go
    return LazyGroup("root", lazy={"go": Lazy(f"{__name__}:go", "Goes.", "tf")})


def test_a_missing_package_is_one_sentence_with_its_extra() -> None:
    result = CliRunner().invoke(_lacking("tensorflow"), ["go"], prog_name="root")
    assert result.exit_code == 1
    assert result.output == (
        "Error: `root go` needs the package `tensorflow`, which is not installed: "
        "run `pip install 'uvcan-tf[tf]'`.\n"
    )


def test_a_module_of_ours_that_is_missing_is_a_fault_of_ours() -> None:
    result = CliRunner().invoke(_lacking("uvcan_tf.lost"), ["go"])
    assert isinstance(result.exception, ModuleNotFoundError)
