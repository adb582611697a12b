"""The load generator's figures."""

import contextlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from serving.checks.kept_connection import KeptConnection
from serving.cli import main
from serving.client.calls import rank_request
from serving.server.app import Server
from tests.serving.conftest import free_port, options


def test_the_command_writes_its_figures(
    target: str, models: Path, tmp_path: Path
) -> None:
    path = tmp_path / "load.json"
    folder = str(models / "uvcan" / "1")
    arguments = ["--target", target, "--seconds", "0.05", "--in-process", folder]
    small = ["--clients", "2", "--candidates", "3", "--out", str(path)]
    assert CliRunner().invoke(main, ["load", *arguments, *small]).exit_code == 0
    rows = json.loads(path.read_text())["rows"]
    assert [row["clients"] for row in rows] == ["no server", "in turn", "2"] * 2
    assert all(row["p50_ms"] <= row["p99_ms"] for row in rows)


def test_the_command_measures_each_call(target: str) -> None:
    result = CliRunner().invoke(
        main,
        [
            *("load", "--target", target, "--seconds", "0.05"),
            *("--clients", "1,2", "--candidates", "1,3"),
        ],
    )
    assert result.exit_code == 0
    lines = result.output.splitlines()[1:]
    names = [" ".join(line.split()[:3]) for line in lines]
    assert names == [
        *("rank 1 1", "rank 1 2", "rank 3 1", "rank 3 2"),
        *("recommend 10 1", "recommend 10 2"),
    ]


def test_a_batching_server_takes_turns_with_the_other(
    target: str, models: Path, tmp_path: Path
) -> None:
    path = tmp_path / "load.json"
    choice = options(models / "uvcan", "uvcan", enable_batching=True)
    with Server(choice) as batching:
        result = CliRunner().invoke(
            main,
            [
                *("load", "--target", target, "--clients", "2", "--candidates", "3"),
                *("--batching-target", f"127.0.0.1:{batching.port}"),
                *("--seconds", "0.1", "--out", str(path)),
            ],
        )
    assert result.exit_code == 0
    rows = json.loads(path.read_text())["rows"]
    told = [(row["call"], row.get("batching")) for row in rows]
    assert told[:2] == [("rank 3", None), ("rank 3", "on")]
    assert all(row["count"] for row in rows[:2])


def test_a_server_that_refuses_every_call_is_told() -> None:
    arguments = ["--target", "127.0.0.1:1", "--clients", "1", "--seconds", "0.05"]
    result = CliRunner().invoke(main, ["load", *arguments])
    assert result.exit_code == 1
    assert "should answer `rank 1` for 1 clients. Received: {'UNAVAILABLE'" in (
        result.output
    )


def test_a_kept_connection_is_measured_over_rest(models: Path, tmp_path: Path) -> None:
    path, port = tmp_path / "load.json", free_port()
    with Server(options(models / "uvcan", "uvcan", rest_api_port=port)) as server:
        result = CliRunner().invoke(
            main,
            [
                *("load", "--target", f"127.0.0.1:{server.port}", "--clients", "1"),
                *("--rest", f"http://127.0.0.1:{port}", "--candidates", "3"),
                *("--seconds", "0.2", "--out", str(path)),
            ],
        )
    assert result.exit_code == 0
    first, *others = json.loads(path.read_text())["rows"]
    assert (first["call"], first["clients"]) == ("rank 3", "REST")
    assert 0 < first["p50_ms"] < 30  # a delayed acknowledgement takes 40
    assert all(row["clients"] != "REST" for row in others)
    assert "| call | 1 client, REST | 1 client |" in path.with_suffix(".md").read_text()


def test_what_rest_refuses_is_told(models: Path) -> None:
    port = free_port()
    with Server(options(models / "uvcan", "uvcan", rest_api_port=port)):
        asked = rank_request("nobody", "u1", ["v1"])
        kept = KeptConnection(f"http://127.0.0.1:{port}", asked)
        with (
            contextlib.closing(kept),
            pytest.raises(ValueError, match="404[^*]+nobody"),
        ):
            kept()
