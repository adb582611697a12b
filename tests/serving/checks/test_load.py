"""The load generator's figures."""

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from serving.checks.load import measure, side_by_side, summary
from serving.cli import main


def test_percentiles_are_those_of_the_sorted_values() -> None:
    found = summary([value / 1000 for value in range(101, 0, -1)], seconds=2.0)
    assert (found.p50_s, found.p95_s, found.p99_s) == (0.051, 0.096, 0.1)
    assert (found.count, found.per_second) == (101, 50.5)


def test_clients_call_at_the_same_time() -> None:
    found = measure([lambda: time.sleep(0.01)] * 4, seconds=0.3)
    assert found.per_second > 200
    assert found.p50_s == pytest.approx(0.01, abs=0.005)


def test_two_calls_take_turns() -> None:
    asked: list[str] = []
    one, other = side_by_side(
        lambda: (asked.append("a"), time.sleep(0.002)),
        lambda: (asked.append("b"), time.sleep(0.006)),
        seconds=0.2,
    )
    assert asked == ["a", "b"] * (len(asked) // 2)
    assert one.count == other.count > 5
    assert one.p50_s < other.p50_s


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
