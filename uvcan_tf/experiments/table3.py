"""Table 3 and Figure 3: all methods, both protocols, several seeds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from uvcan_tf.experiments import plots, results
from uvcan_tf.experiments.cells import Cells
from uvcan_tf.experiments.method import Method
from uvcan_tf.experiments.methods import subject
from uvcan_tf.experiments.results import TITLES, ByMethod
from uvcan_tf.experiments.runs import measure, tune
from uvcan_tf.experiments.search import keep_expected, users_of
from uvcan_tf.experiments.setting import PROTOCOLS, Setting

CUTOFFS: Final = (10, 20, 30, 40, 50)


def run(
    cells: Cells, setting: Setting, methods: Sequence[Method], seeds: Sequence[int]
) -> ByMethod:
    """Tunes, measures, and writes settings, figures, tests, table and plots."""
    chosen = tune(cells, setting, methods)
    by_method = measure(cells, setting, chosen, methods, seeds)
    for method in methods:
        keep_expected(
            cells, setting, method, list(by_method[method.name].values()), CUTOFFS
        )
    own = subject(tuple(methods))
    name = own.name if own else None
    frame = results.table(by_method, CUTOFFS)
    tests = results.significance(by_method, name or methods[0].name, CUTOFFS)
    folder = cells.results
    results.write_csv(folder / f"{setting.name}.csv", frame)
    place = (
        "significance.csv" if setting.name == "table3" else f"{setting.name}-tests.csv"
    )
    results.write_csv(folder / place, tests)
    text = [about(cells, by_method, name)]
    for protocol in PROTOCOLS:
        text += [f"### {TITLES[protocol]}\n"]
        text += [results.comparison(frame, tests, name, protocol)]
    (folder / f"{setting.name}.md").write_text("\n".join(text), encoding="utf-8")
    plots.comparison(frame, folder / f"{setting.name}.png", name)
    note(cells, setting, by_method, seeds)
    return by_method


def about(cells: Cells, by_method: ByMethod, subject: str | None) -> str:
    """What the table's figures are of."""
    any_cell = next(iter(next(iter(by_method.values())).values()))
    ranks = any_cell.ranks
    seeds = len(next(iter(by_method.values())))
    against = f" `improvement` and `p`: {subject} over the line." if subject else ""
    return (
        f"{cells.name}: {len(ranks.pairs):,} held-out pairs of {users_of(ranks):,} "
        f"users; {cells.trials} trials a method; mean ± standard deviation over "
        f"{seeds} seed{'s' * (seeds > 1)}, p by a paired bootstrap over users."
        f"{against}\n"
    )


def note(
    cells: Cells, setting: Setting, by_method: ByMethod, seeds: Iterable[int]
) -> None:
    """Writes the command, the seeds and the hours beside the figures."""
    everything = [cell for by_seed in by_method.values() for cell in by_seed.values()]
    seconds = sum(cell.fit_seconds + cell.rank_seconds for cell in everything)
    content = {
        "command": cells.command,
        "seeds": list(seeds),
        "trials": cells.trials,
        "pairs": len(everything[0].ranks.pairs),
        "users": users_of(everything[0].ranks),
        "hours_of_fitting_and_ranking": round(seconds / 3600, 3),
    }
    path = cells.results / f"{setting.name}.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def figure3(
    cells: Cells, setting: Setting, methods: Sequence[Method], seeds: Sequence[int]
) -> None:
    """HR@k and NDCG@k for k = 10, 20, … 50, from the cells of Table 3."""
    chosen = tune(cells, setting, methods)
    by_method = measure(cells, setting, chosen, methods, seeds)
    frame = results.table(by_method, CUTOFFS)
    results.write_csv(cells.results / "figure3.csv", frame)
    own = subject(tuple(methods))
    plots.by_cutoff(frame, cells.results / "figure3.png", own.name if own else None)
