"""Figures are kept, merged and shown beside those of the last run."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from benchmarks import results
from benchmarks.results import Figure

FAST = Figure(6.0, "examples/s", 2.0, "a snail")


def test_a_ratio_is_value_to_reference() -> None:
    assert FAST.ratio == 3.0
    assert Figure(6.0, "s").ratio is None


def test_figures_survive_a_file(tmp_path: Path) -> None:
    results.write(tmp_path / "new" / "bench.json", {"speed": FAST})
    assert results.read(tmp_path / "new" / "bench.json") == {"speed": FAST}


def test_a_file_has_value_unit_reference_and_ratio(tmp_path: Path) -> None:
    results.write(tmp_path / "bench.json", {"speed": FAST})
    content = json.loads((tmp_path / "bench.json").read_text())
    wanted = {"value": 6.0, "unit": "examples/s", "reference": 2.0, "ratio": 3.0}
    assert wanted.items() <= content["speed"].items()


def test_a_stage_leaves_the_figures_of_others(tmp_path: Path) -> None:
    results.write(tmp_path / "bench.json", {"speed": FAST, "other": FAST})
    results.write(tmp_path / "bench.json", {"speed": Figure(7.0, "examples/s")})
    kept = results.read(tmp_path / "bench.json")
    assert kept == {"speed": Figure(7.0, "examples/s"), "other": FAST}


def test_nothing_is_kept_before_the_first_run(tmp_path: Path) -> None:
    assert results.read(tmp_path / "bench.json") == {}


def test_the_table_shows_both_ratios() -> None:
    screen = io.StringIO()
    before = {"speed": Figure(5.0, "examples/s", 2.0)}
    results.show({"speed": FAST}, before, Console(file=screen, width=120))
    (line,) = [row for row in screen.getvalue().splitlines() if "speed" in row]
    assert line.split() == [
        *("speed", "6.000", "examples/s", "3.000", "2.000", "a", "snail", "2.500")
    ]
