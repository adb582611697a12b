"""A server that is asked for more than it can answer."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from serving.cli import main
from serving.server.app import Server
from tests.serving.conftest import options


def test_what_is_refused_and_what_is_admitted_is_told(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = options(models / "uvcan", "uvcan", grpc_max_threads=2)
    with Server(choice) as server:
        model = server.store._models["uvcan"].ready[1].model
        run, busy = model.run, threading.Semaphore(2)

        def slow(*given: Any) -> Any:
            with busy:
                time.sleep(0.02)
            return run(*given)

        monkeypatch.setattr(model, "run", slow)
        size = ["--seconds", "3", "--clients", "3", "--candidates", "2"]
        target = f"127.0.0.1:{server.port}"
        result = CliRunner().invoke(main, ["overload", "--target", target, *size])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.output)
    admitted = figures["overloaded"]
    assert set(admitted["refused"]) == {"RESOURCE_EXHAUSTED"}
    assert admitted["count"] > 10
    assert "refused" not in figures["alone"] and "refused" not in figures["after"]


def test_a_server_that_does_not_answer_is_one_sentence() -> None:
    result = CliRunner().invoke(main, ["overload", "--target", "127.0.0.1:1"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: No server answers at 127.0.0.1:1: ")
