"""Version swaps under load, by the command that measures them."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from serving.checks.swaps import Asker
from serving.cli import main
from serving.client.connection import open_channel
from tests.serving.conftest import save_toy, until


@pytest.mark.slow  # starts a server process
def test_every_reply_is_right_while_versions_come_and_go(tmp_path: Path) -> None:
    for name, offset in (("odd", 0.0), ("even", 1.0)):
        save_toy(tmp_path / name, offset)
    out = tmp_path / "swaps.json"
    folders = ["--versions", str(tmp_path / "odd"), str(tmp_path / "even")]
    size = ["--swaps", "3", "--clients", "2", "--least", "500", "--out", str(out)]
    result = CliRunner().invoke(main, ["swaps", *folders, *size])
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    assert figures["replies"] >= 500
    assert figures["failed_or_wrong"] == 0
    assert len(figures["resident_mib_after_each_swap"]) == 3


def test_scores_of_another_version_are_counted_as_wrong(target: str) -> None:
    with open_channel(target) as channel:
        asker = Asker(channel, {1: np.zeros([1, 100], np.float32)}, clients=1)
        until(lambda: asker.replies > 3)
        asker.stop()
    assert len(asker.wrong) == asker.replies
    assert asker.wrong[0] == "version 1 answered with the scores of another"
