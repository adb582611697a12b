"""What the tables share: tuning, measuring, and the figures as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from uvcan_tf.experiments import results
from uvcan_tf.experiments.cells import Cells, Clock, Measured, is_measured, measured
from uvcan_tf.experiments.method import Method
from uvcan_tf.experiments.results import ByMethod
from uvcan_tf.experiments.search import (
    keep_settings,
    kept_settings,
    search,
    trials_of,
)
from uvcan_tf.experiments.setting import Setting
from uvcan_tf.search_spaces import Values


def tune(
    cells: Cells, setting: Setting, methods: Sequence[Method]
) -> dict[str, Values]:
    """Settings of every method: kept ones, or those that a search chooses."""
    kept = {m.name: kept_settings(cells, setting, m) for m in methods}
    open_to = [method for method in methods if kept[method.name] is None]
    clock = Clock(sum(trials_of(cells, method) for method in open_to), cells.say)
    for method in open_to:
        best = search(cells, setting, method, clock)
        keep_settings(cells, setting, method, best)
        kept[method.name] = best.values
    return {name: values for name, values in kept.items() if values is not None}


def measure(
    cells: Cells,
    setting: Setting,
    chosen: Mapping[str, Values],
    methods: Sequence[Method],
    seeds: Sequence[int],
) -> ByMethod:
    """Every method with every seed; cells of an earlier run are read."""
    jobs = [(method, seed) for method in methods for seed in seeds]
    clock = Clock(len(jobs), cells.say)
    by_method: dict[str, dict[int, Measured]] = {method.name: {} for method in methods}
    for method, seed in jobs:
        values = chosen[method.name]
        was_there = is_measured(cells, setting, method, values, seed)
        cell = measured(cells, setting, method, values, seed)
        by_method[method.name][seed] = cell
        clock.done(
            f"{method.name}, seed {seed}: {sentence(cell)}",
            None if was_there else cell.fit_seconds + cell.rank_seconds,
        )
    return by_method


def sentence(cell: Measured) -> str:
    """HR@10 and NDCG@10 of a cell under both protocols, and its time."""
    summary = cell.ranks.summary((10,))
    shown = (
        f"{name} {means['hr@10']:.4f}/{means['ndcg@10']:.4f}"
        for name, means in summary.items()
    )
    return f"{', '.join(shown)} in {cell.fit_seconds:.0f} + {cell.rank_seconds:.0f} s"


def rows_of(
    cells: Cells,
    setting: Setting,
    jobs: Sequence[tuple[Method, Values, Mapping[str, Any]]],
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Figures of every job (method, settings, labels) with every seed."""
    clock = Clock(len(jobs) * len(seeds), cells.say)
    rows: list[dict[str, Any]] = []
    for method, values, labels in jobs:
        for seed in seeds:
            was_there = is_measured(cells, setting, method, values, seed)
            cell = measured(cells, setting, method, values, seed)
            shown = ", ".join(f"{v} {k}" for k, v in labels.items())
            clock.done(
                f"{method.name}, {shown}, seed {seed}: {sentence(cell)}",
                None if was_there else cell.fit_seconds + cell.rank_seconds,
            )
            rows += results.figures(
                cell.ranks, (10,), method=method.name, **labels, seed=seed
            )
    return pd.DataFrame(rows)
