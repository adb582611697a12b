"""Table 3 and Figure 3: all methods, both protocols, several seeds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from uvcan_tf.experiments import plots, results
from uvcan_tf.experiments.cells import Clock, Lab, Measured, is_measured, measured
from uvcan_tf.experiments.method import Method
from uvcan_tf.experiments.methods import subject
from uvcan_tf.experiments.results import Cells
from uvcan_tf.experiments.search import (
    keep_expected,
    keep_settings,
    kept_settings,
    search,
    trials_of,
    users_of,
)
from uvcan_tf.experiments.setting import PROTOCOLS, Task
from uvcan_tf.search_spaces import Values

CUTOFFS: Final = (10, 20, 30, 40, 50)


def tune(lab: Lab, task: Task, methods: Sequence[Method]) -> dict[str, Values]:
    """Settings of every method: kept ones, or those that a search chooses."""
    kept = {m.name: kept_settings(lab, task, m) for m in methods}
    open_to = [method for method in methods if kept[method.name] is None]
    clock = Clock(sum(trials_of(lab, method) for method in open_to), lab.say)
    for method in open_to:
        best = search(lab, task, method, clock)
        keep_settings(lab, task, method, best)
        kept[method.name] = best.values
    return {name: values for name, values in kept.items() if values is not None}


def measure(
    lab: Lab,
    task: Task,
    settings: Mapping[str, Values],
    methods: Sequence[Method],
    seeds: Sequence[int],
) -> dict[str, dict[int, Measured]]:
    """Every method with every seed; cells of an earlier run are read."""
    jobs = [(method, seed) for method in methods for seed in seeds]
    clock = Clock(len(jobs), lab.say)
    cells: dict[str, dict[int, Measured]] = {method.name: {} for method in methods}
    for method, seed in jobs:
        values = settings[method.name]
        was_there = is_measured(lab, task, method, values, seed)
        cell = measured(lab, task, method, values, seed)
        cells[method.name][seed] = cell
        clock.done(
            f"{method.name}, seed {seed}: {sentence(cell)}",
            None if was_there else cell.fit_seconds + cell.rank_seconds,
        )
    return cells


def sentence(cell: Measured) -> str:
    """HR@10 and NDCG@10 of a cell under both protocols, and its time."""
    summary = cell.ranks.summary((10,))
    shown = (
        f"{name} {means['hr@10']:.4f}/{means['ndcg@10']:.4f}"
        for name, means in summary.items()
    )
    return f"{', '.join(shown)} in {cell.fit_seconds:.0f} + {cell.rank_seconds:.0f} s"


def run(lab: Lab, task: Task, methods: Sequence[Method], seeds: Sequence[int]) -> Cells:
    """Tunes, measures, and writes settings, figures, tests, table and plots."""
    settings = tune(lab, task, methods)
    cells = measure(lab, task, settings, methods, seeds)
    for method in methods:
        keep_expected(lab, task, method, list(cells[method.name].values()), CUTOFFS)
    own = subject(tuple(methods))
    name = own.name if own else None
    frame = results.table(cells, CUTOFFS)
    tests = results.significance(cells, name or methods[0].name, CUTOFFS)
    folder = lab.results
    results.write_csv(folder / f"{task.name}.csv", frame)
    place = "significance.csv" if task.name == "table3" else f"{task.name}-tests.csv"
    results.write_csv(folder / place, tests)
    text = [about(lab, cells, name)]
    for protocol in PROTOCOLS:
        text += [f"### {TITLES[protocol]}\n"]
        text += [results.comparison(frame, tests, name, protocol)]
    (folder / f"{task.name}.md").write_text("\n".join(text), encoding="utf-8")
    plots.comparison(frame, folder / f"{task.name}.png", name)
    note(lab, task, cells, seeds)
    return cells


TITLES: Final = dict(
    zip(PROTOCOLS, ("Among 1,000 sampled videos", "Among all videos"), strict=True)
)


def about(lab: Lab, cells: Cells, subject: str | None) -> str:
    """What the table's figures are of."""
    any_cell = next(iter(next(iter(cells.values())).values()))
    ranks = any_cell.ranks
    seeds = len(next(iter(cells.values())))
    against = f" `improvement` and `p`: {subject} over the line." if subject else ""
    return (
        f"{lab.name}: {len(ranks.pairs):,} held-out pairs of {users_of(ranks):,} "
        f"users; {lab.trials} trials a method; mean ± standard deviation over "
        f"{seeds} seed{'s' * (seeds > 1)}, p by a paired bootstrap over users."
        f"{against}\n"
    )


def note(lab: Lab, task: Task, cells: Cells, seeds: Iterable[int]) -> None:
    """Writes the command, the seeds and the hours beside the figures."""
    everything = [cell for by_seed in cells.values() for cell in by_seed.values()]
    seconds = sum(cell.fit_seconds + cell.rank_seconds for cell in everything)
    content = {
        "command": lab.command,
        "seeds": list(seeds),
        "trials": lab.trials,
        "pairs": len(everything[0].ranks.pairs),
        "users": users_of(everything[0].ranks),
        "hours_of_fitting_and_ranking": round(seconds / 3600, 3),
    }
    path = lab.results / f"{task.name}.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def figure3(
    lab: Lab, task: Task, methods: Sequence[Method], seeds: Sequence[int]
) -> None:
    """HR@k and NDCG@k for k = 10, 20, … 50, from the cells of Table 3."""
    settings = tune(lab, task, methods)
    cells = measure(lab, task, settings, methods, seeds)
    frame = results.table(cells, CUTOFFS)
    results.write_csv(lab.results / "figure3.csv", frame)
    own = subject(tuple(methods))
    plots.by_cutoff(frame, lab.results / "figure3.png", own.name if own else None)
