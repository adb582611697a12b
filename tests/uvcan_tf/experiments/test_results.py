"""Rows, tests and tables of handmade ranks.

Shapes: P pairs.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from uvcan_tf.data.dataset import Pairs
from uvcan_tf.evaluation.ranking import FULL, SAMPLED, Ranked, Ranks
from uvcan_tf.experiments import plots, results
from uvcan_tf.experiments.cells import Measured
from uvcan_tf.experiments.slices import frame_of

PAIRS = Pairs(np.array([1, 1, 2, 3], np.int32), np.array([5, 6, 7, 8], np.int32))


def cell(*rank: float) -> Measured:
    ranked = Ranked(np.array(rank), np.full(4, 100.0))
    worse = Ranked(np.array(rank) * 10, np.full(4, 100.0))
    return Measured(Ranks(PAIRS, {SAMPLED: ranked, FULL: worse}), 1.0, 2.0)


CELLS = {
    "ItemPop": {1: cell(11, 12, 13, 14), 2: cell(11, 12, 13, 14)},
    "Other": {1: cell(1, 11, 11, 11), 2: cell(1, 3, 11, 11)},
    "UVCAN": {1: cell(1, 2, 3, 4), 2: cell(1, 2, 3, 4)},
}


def test_a_row_is_the_mean_over_pairs() -> None:
    frame = results.table(CELLS, (10, 20))
    assert list(frame.columns) == results.TABLE_COLUMNS
    assert len(frame) == 3 * 2 * 2 * 2 * 2
    rows = frame.set_index(["method", "protocol", "metric", "k", "seed"])["value"]
    assert rows[("Other", SAMPLED, "hr", 10, 1)] == 0.25
    assert rows[("Other", SAMPLED, "hr", 10, 2)] == 0.5
    expected = (1 + 1 / math.log2(4)) / 4
    assert rows[("Other", SAMPLED, "ndcg", 10, 2)] == pytest.approx(expected)
    assert rows[("Other", FULL, "hr", 10, 1)] == 0.25
    assert rows[("Other", SAMPLED, "hr", 20, 1)] == 1


def test_seeds_are_averaged_before_a_difference_is_tested() -> None:
    frame = results.significance(CELLS, "UVCAN", (10,))
    assert list(frame.columns) == results.TEST_COLUMNS
    assert set(frame.method) == {"ItemPop", "Other"}
    rows = frame.set_index(["method", "protocol", "metric"])
    assert rows.loc[("Other", SAMPLED, "hr"), "difference"] == 1 - 0.375
    assert rows.loc[("ItemPop", SAMPLED, "hr"), "p_value"] < 0.01


def test_the_table_shows_what_the_subject_adds() -> None:
    frame = results.table(CELLS, (10,))
    tests = results.significance(CELLS, "UVCAN", (10,))
    lines = results.comparison(frame, tests, "UVCAN", SAMPLED).splitlines()
    assert lines[0].startswith("| method | HR@10 | improvement | p | NDCG@10 |")
    assert lines[2].startswith("| ItemPop | 0.0000 | from 0 |")
    assert lines[3].startswith("| Other | 0.3750 ± 0.1768 | +166.67% |")
    assert lines[4].startswith("| **UVCAN** | 1.0000 |  |  |")


def test_slices_average_their_own_pairs_only() -> None:
    labels = {"user": np.array(["0", "0", "1-4", "1-4"])}
    frame = frame_of(CELLS, labels)
    rows = frame.set_index(["method", "likes", "protocol", "metric", "seed"])
    one = rows.loc[("Other", "0", SAMPLED, "hr", 1)]
    assert (one["value"], one["pairs"]) == (0.5, 2)
    assert rows.loc[("Other", "1-4", SAMPLED, "hr", 1), "value"] == 0
    assert set(frame.likes) == {"0", "1-4"}


def test_a_csv_gives_back_its_rows(tmp_path: Path) -> None:
    frame = results.table(CELLS, (10,))
    results.write_csv(tmp_path / "deep" / "table.csv", frame)
    found = pd.read_csv(tmp_path / "deep" / "table.csv")
    pd.testing.assert_frame_equal(found, frame, rtol=1e-5)


def test_plots_are_pngs(tmp_path: Path) -> None:
    frame = results.table(CELLS, (10, 20))
    plots.comparison(frame, tmp_path / "bars.png", "UVCAN")
    plots.by_cutoff(frame, tmp_path / "lines.png", "UVCAN")
    for name in ("bars.png", "lines.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
