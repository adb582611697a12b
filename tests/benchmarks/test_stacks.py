"""Two stacks are compared by what each finds in either one's SavedModel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks import stacks


def compared(
    folder: Path, readers: dict[str, list[list[float]]], failed: int = 0
) -> Result:
    """Compares what each reader found in the model that `old` wrote."""
    (folder / "figures").mkdir()
    for stack, hit_rate in (("new", 0.29), ("old", 0.31)):
        figures = {"demo, HR@10": hit_rate, "tests passed": 7, "tests failed": failed}
        (folder / "figures" / f"{stack}.json").write_text(json.dumps(figures))
    written = folder / "scores" / "old"
    written.mkdir(parents=True)
    for reader, values in readers.items():
        content = {"in process": values, "server": values}
        (written / f"{reader}.json").write_text(json.dumps(content))
    return CliRunner().invoke(stacks.main, ["compare", str(folder)])


def test_figures_stand_side_by_side(tmp_path: Path) -> None:
    done = compared(tmp_path, {"old": [[0.5, 0.25]], "new": [[0.5, 0.2500005]]})
    assert done.exit_code == 0
    row = next(line for line in done.output.splitlines() if "HR@10" in line)
    assert row.index("0.29") < row.index("0.31")
    assert "5.0e-07" in done.output


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({"old": [[0.5]], "new": [[0.50001]]}, id="another score"),
        pytest.param({"old": [[0.5]], "new": [[float("nan")]]}, id="no number"),
        pytest.param({}, id="nobody read it"),
    ],
)
def test_other_scores_end_in_one_sentence(
    found: dict[str, list[list[float]]], tmp_path: Path
) -> None:
    done = compared(tmp_path, found)
    assert done.exit_code == 1
    assert "Error: Every reader should find the same scores" in done.output


def test_a_failed_test_ends_in_one_sentence(tmp_path: Path) -> None:
    done = compared(tmp_path, {"old": [[0.5]], "new": [[0.5]]}, failed=2)
    assert done.exit_code == 1
    assert "Error: All tests should pass on every stack." in done.output
