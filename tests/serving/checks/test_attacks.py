"""What hostile bodies cost, asked of a server in this process."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from serving.checks import attacks
from serving.cli import main
from serving.server.app import Server
from tests.serving.conftest import free_port, options


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told by /proc")
def test_hostile_bodies_take_little_and_nobody_stays(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = list(attacks.bodies("uvcan"))

    def few(model: str) -> Iterator[Any]:
        yield from (case for case in every if case[0].startswith(("rank", "a string")))

    monkeypatch.setattr(attacks, "bodies", few)
    port = free_port()
    flags = {"rest_api_port": port, "rest_api_timeout_in_ms": 2000}
    with Server(options(models / "uvcan", "uvcan", **flags)):
        told = ["--rest-port", str(port), "--process", str(os.getpid())]
        result = CliRunner().invoke(main, ["attacks", *told, "--stalled", "9"])
    assert result.exit_code == 0, result.output
    *rows, last = map(json.loads, result.output.splitlines())
    assert rows[0]["status"] == 413  # a busy machine may be late with the others
    assert {row["status"] for row in rows} <= {413, 400, 504}
    assert last["open"] == 0


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    told = ["--rest-port", str(free_port()), "--process", str(os.getpid())]
    result = CliRunner().invoke(main, ["attacks", *told])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: Process {os.getpid()} should be a server")
