"""Progress is shown on standard error and leaves standard output alone."""

from __future__ import annotations

import pytest

from uvcan_tf.terminal.progress import Silent, progress


def test_progress_writes_nothing_to_standard_output_nor_to_a_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress("Ranking", total=3) as bar:
        bar.advance()
        bar.advance(2)
    assert capsys.readouterr() == ("", "")


def test_work_inside_other_work_has_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes it for a terminal,
    monkeypatch.setenv("TERM", "xterm")  # and for one whose lines can be drawn anew
    monkeypatch.setenv("COLUMNS", "200")
    with progress("Measuring", total=2) as outer:
        with progress("Training", total=3) as inner:
            inner.advance()
        outer.advance()
    shown = capsys.readouterr().err
    assert "Measuring" in shown
    assert "Training" in shown


def test_a_failure_inside_is_passed_on() -> None:
    with pytest.raises(KeyError), progress("Ranking", total=3):
        raise KeyError


def test_silence_accepts_steps(capsys: pytest.CaptureFixture[str]) -> None:
    Silent().advance(7)
    assert capsys.readouterr() == ("", "")
