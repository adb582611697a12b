"""A file that the system does not give is one sentence of the command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.tfx_pipeline.worlds import write_world
from uvcan_tf.__main__ import main
from uvcan_tf.terminal import lost_files


def test_the_sentence_names_the_file_and_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as caught:
        (tmp_path / "file" / "below").mkdir()
    sentence = lost_files.sentence(caught.value)
    assert str(tmp_path / "file" / "below") in sentence
    assert sentence.endswith("Received: Not a directory.")


def test_an_error_of_no_file_passes() -> None:
    with pytest.raises(ConnectionError):
        lost_files.sentence(ConnectionError(111, "refused"))


@pytest.mark.slow
def test_a_command_ends_with_the_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    write_world(tmp_path / "data")
    words = ["train", "--data", str(tmp_path / "data")]
    out = str(tmp_path / "file" / "out")
    monkeypatch.setattr(sys, "argv", ["uvcan", *words, "--out", out])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("Error: ") and out in last
