"""Values of a command line that are looked at before the work begins."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from uvcan_tf.experiments.cli import experiment
from uvcan_tf.terminal.arguments import Seconds, file_to_write, make_folder


@click.command()
@click.option("--seconds", type=Seconds(), default=1.0)
@click.option("--out", type=click.Path(path_type=Path), callback=file_to_write)
def command(seconds: float, out: Path | None) -> None:
    click.echo(f"{seconds} {out}")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in arguments])


def test_what_can_be_used_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("")
    for name in ("new", "old"):
        result = run("--seconds", "0.5", "--out", tmp_path / name)
        assert result.output == f"0.5 {tmp_path / name}\n"
    assert run().output == "1.0 None\n"


@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf", "0", "-1", "1e9", "soon"])
def test_a_time_that_nobody_can_wait_is_refused(seconds: str) -> None:
    result = run("--seconds", seconds)
    assert result.exit_code == 2 and "Error: Invalid value" in result.output


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "file"):
        result = run("--out", path)
        assert result.exit_code == 2 and "should" in result.output


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(click.ClickException, match="should be a folder"):
        make_folder(tmp_path / "file" / "more")


@pytest.mark.parametrize("preset", ["huge", "../tiny", ""])
def test_planted_refuses_a_world_that_it_does_not_have(
    tmp_path: Path, preset: str
) -> None:
    told = ["planted", "--preset", preset, "--out", str(tmp_path)]
    result = CliRunner().invoke(experiment, told)
    assert result.exit_code == 2
    assert (
        "`--preset` should be one of tiny, small, toffee_a, toffee_b" in result.output
    )
    assert list(tmp_path.iterdir()) == []


def test_planted_says_at_once_that_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "tiny").write_text("a file")
    result = CliRunner().invoke(experiment, ["planted", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert f"Error: {tmp_path / 'tiny'} should be a folder" in result.output
