"""What the tables share: tuning, measuring, and the figures as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from uvcan_tf.evaluation.ranking import FULL
from uvcan_tf.experiments import results
from uvcan_tf.experiments.cells import Cell, Cells, Measured, forget_models
from uvcan_tf.experiments.kept import KeptSettings
from uvcan_tf.experiments.method import Method
from uvcan_tf.experiments.results import ByMethod
from uvcan_tf.experiments.setting import Setting
from uvcan_tf.search import Search
from uvcan_tf.search_spaces import Values, draws
from uvcan_tf.terminal.progress import progress
from uvcan_tf.training.fit import MONITOR
from uvcan_tf.training.validation import decisive

Job = tuple[Method, Values, Mapping[str, Any]]


def tune(
    cells: Cells, setting: Setting, methods: Sequence[Method]
) -> dict[str, Values]:
    """Settings of every method: kept ones, or those that a search chooses.

    Kept ones of a method that is built on others are chosen anew where the others'
    choice has changed since.
    """
    chosen: dict[str, Values] = {}
    with progress("Tuning", len(methods)) as bar:
        for method in methods:
            kept = KeptSettings(cells, setting, method)
            values = kept.read()
            if values is not None and has_other_parts(method, values, chosen):
                values = None
            if values is None and method.space:
                values = _search(cells, setting, method, kept)
            elif values is None:
                base = _of_part(cells, setting, method)
                values = method.settled(base, cells.run(Path(), seed=1))
                kept.write(values)
            chosen[method.name] = values
            bar.advance()
    return chosen


def has_other_parts(
    method: Method, values: Values, chosen: Mapping[str, Values]
) -> bool:
    """Whether settings differ from what is chosen for the parts, if for all of them."""
    if not method.over or any(part.name not in chosen for part in method.over):
        return False
    return {**_of_chosen(method, chosen), **method.own(values)} != dict(values)


def _of_chosen(method: Method, chosen: Mapping[str, Values]) -> Values:
    """What is chosen for the parts of a method, as its own settings."""
    return {
        name: value
        for part in method.over
        for name, value in method.based_on(chosen[part.name]).items()
    }


def _search(
    cells: Cells, setting: Setting, method: Method, kept: KeptSettings
) -> Values:
    """The best of `cells.trials` on validation pairs; known trials are not made again.

    Each takes seed 1 and the same limits, whatever the method. One that is built on
    others has their own choice in all of its trials.
    """
    any_run = cells.run(Path(), seed=1)
    base = _of_part(cells, setting, method)

    def measure(values: Values, folder: Path) -> dict[str, float]:
        run = cells.run(folder, seed=1)
        fitted = method.fit(setting.part.dataset, values, run)
        ranks = setting.part.ranks(fitted.scorer, cells.evaluation, (FULL,))
        del fitted
        forget_models()
        return {MONITOR: decisive(ranks)}

    search = Search(
        [{**base, **point} for point in draws(method.space, cells.trials, method.name)],
        measure,
        cells.place(
            setting,
            setting.part,
            method,
            MONITOR,
            dict(method.space),
            method.key(base, any_run),
        ),
        cells.say,
        method.name,
    )
    search.search()
    best = search.best()
    values = method.settled(best.values, any_run)
    kept.write(values, best)
    return values


def _of_part(cells: Cells, setting: Setting, method: Method) -> Values:
    """The settings that are chosen for what a method is built on, if anything."""
    parts = tune(cells, setting, method.over) if method.over else {}
    return _of_chosen(method, parts)


def measure(
    cells: Cells,
    setting: Setting,
    chosen: Mapping[str, Values],
    methods: Sequence[Method],
    seeds: Sequence[int],
) -> ByMethod:
    """Every method with every seed; cells of an earlier run are read."""
    jobs: list[Job] = [(method, chosen[method.name], {}) for method in methods]
    measured = iter(_measured(cells, setting, jobs, seeds))
    return {m.name: {seed: next(measured) for seed in seeds} for m in methods}


def rows_of(
    cells: Cells, setting: Setting, jobs: Sequence[Job], seeds: Sequence[int]
) -> pd.DataFrame:
    """Figures of every job (method, settings, labels) with every seed."""
    measured = iter(_measured(cells, setting, jobs, seeds))
    rows = [
        row
        for method, _, labels in jobs
        for seed in seeds
        for row in results.figures(
            next(measured).ranks, (10,), method=method.name, **labels, seed=seed
        )
    ]
    return pd.DataFrame(rows)


def _measured(
    cells: Cells, setting: Setting, jobs: Sequence[Job], seeds: Sequence[int]
) -> list[Measured]:
    """Cells of all jobs, of every seed; a line is said for each that was not there."""
    found: list[Measured] = []
    total = len(jobs) * len(seeds)
    with progress("Measuring", total) as bar:
        for method, values, labels in jobs:
            for seed in seeds:
                cell = Cell(cells, setting, method, values, seed)
                was_there = cell.path.exists()
                found.append(cell.measured())
                bar.advance()
                if not was_there:
                    shown = "".join(f", {v} {k}" for k, v in labels.items())
                    number = f"[{len(found)}/{total}]"
                    name = f"{number} {method.name}{shown}, seed {seed}"
                    cells.say(f"{name}: {found[-1]}")
    return found
