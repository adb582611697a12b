"""Whatever ends a run, a person reads one sentence."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from tests.tfx_pipeline.small_runs import Small
from tfx_pipeline import console, local, report


def test_a_page_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device", "report.html")

    monkeypatch.setattr(local, "run", lambda *_: [])
    monkeypatch.setattr(report, "read", lambda _: None)
    monkeypatch.setattr(console, "_show", lambda *_: None)
    monkeypatch.setattr(console, "_leave_pages", full)
    root = tmp_path / "root"
    assert not console.run(Small(tmp_path).config(root))
    screen = "".join(capfd.readouterr())
    assert "Traceback" not in screen
    assert screen.splitlines()[-1].startswith("Error: The disk that holds ")
