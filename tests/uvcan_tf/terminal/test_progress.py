"""Progress is shown on standard error and leaves standard output alone."""

from __future__ import annotations

import pytest

from uvcan_tf.terminal.progress import Silent, progress


def test_progress_writes_nothing_to_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress("Ranking", total=3) as bar:
        bar.advance()
        bar.advance(2)
    assert capsys.readouterr().out == ""


def test_a_failure_inside_is_passed_on() -> None:
    with pytest.raises(KeyError), progress("Ranking", total=3):
        raise KeyError


def test_silence_accepts_steps(capsys: pytest.CaptureFixture[str]) -> None:
    Silent().advance(7)
    assert capsys.readouterr() == ("", "")
