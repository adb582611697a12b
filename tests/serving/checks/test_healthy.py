"""`python -m serving healthy` ends as an image's HEALTHCHECK should."""

from __future__ import annotations

import socket
from pathlib import Path

from click.testing import CliRunner, Result

from serving.cli import main
from serving.server.app import Server
from serving.server.options import Options
from tests.serving.conftest import save_toy, until


def _asked(target: str) -> Result:
    return CliRunner().invoke(main, ["healthy", "--target", target, "--timeout", "2"])


def _options(folder: Path, tells: bool) -> Options:
    return Options(
        port=0,
        model_name="uvcan",
        model_base_path=str(folder),
        enable_grpc_healthcheck_service=tells,
    )


def test_a_server_with_a_version_is_healthy(tmp_path: Path) -> None:
    save_toy(tmp_path / "uvcan" / "1")
    with Server(_options(tmp_path / "uvcan", True)) as server:
        found = _asked(f"localhost:{server.port}")
    assert (found.exit_code, found.output) == (0, "SERVING\n")


def test_a_server_that_lost_its_version_is_not(tmp_path: Path) -> None:
    save_toy(tmp_path / "uvcan" / "1")
    with Server(_options(tmp_path / "uvcan", True)) as server:
        (tmp_path / "uvcan" / "1").rename(tmp_path / "gone")
        until(lambda: _asked(f"localhost:{server.port}").exit_code == 1)
        found = _asked(f"localhost:{server.port}")
    assert "should be SERVING. Received: NOT_SERVING." in found.output


def test_a_server_that_does_not_tell_is_not(tmp_path: Path) -> None:
    save_toy(tmp_path / "uvcan" / "1")
    with Server(_options(tmp_path / "uvcan", False)) as server:
        found = _asked(f"localhost:{server.port}")
    assert found.exit_code == 1
    assert "Received: UNIMPLEMENTED" in found.output


def test_no_server_is_one_sentence() -> None:
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
    found = _asked(f"localhost:{port}")
    assert found.exit_code == 1
    assert f"Error: localhost:{port} should answer grpc.health.v1" in found.output
    assert found.output.count("\n") == 1


def test_a_deadline_that_is_none_is_one_sentence() -> None:
    found = CliRunner().invoke(main, ["healthy", "--timeout", "0"])
    assert found.exit_code == 2
    assert "'--timeout': 0.0 is not in the range" in found.output
