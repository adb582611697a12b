"""Logs go to a file, and a file that cannot be written stops nothing."""

import logging
import os
from pathlib import Path

import pytest

from tfx_pipeline.screen import logs_in


def test_logs_and_native_output_go_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "run.log"
    with logs_in(file):
        logging.getLogger("any").warning("a warning")
        print("a line")
        os.write(2, b"from a library\n")
    assert {"a line", "from a library"} <= set(file.read_text().splitlines())
    assert "W any: a warning" in file.read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a full device")
def test_a_log_on_a_full_disk_stops_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with logs_in(Path("/dev/full")) as terminal:
        logging.getLogger("any").warning("lost")
        terminal.write("Error: one sentence.\n")
    print("afterwards", flush=True)
    assert capfd.readouterr() == ("afterwards\n", "Error: one sentence.\n")
