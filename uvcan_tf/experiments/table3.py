"""Table 3 and Figure 3: all methods, both protocols, several seeds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

import pandas as pd

from uvcan_tf.data.dataset import Pairs
from uvcan_tf.evaluation_settings import LAST, RANDOM, TIME, EvaluationConfig
from uvcan_tf.experiments import plots, results
from uvcan_tf.experiments.cells import Cells
from uvcan_tf.experiments.choice import subject
from uvcan_tf.experiments.kept import KeptSettings
from uvcan_tf.experiments.method import Method
from uvcan_tf.experiments.results import TITLES, ByMethod
from uvcan_tf.experiments.runs import measure, tune
from uvcan_tf.experiments.setting import PROTOCOLS, Setting

CUTOFFS: Final = (10, 20, 30, 40, 50)


def run(
    cells: Cells, setting: Setting, methods: Sequence[Method], seeds: Sequence[int]
) -> ByMethod:
    """Tunes, measures, and writes settings, figures, tests, table and plots."""
    chosen = tune(cells, setting, methods)
    by_method = measure(cells, setting, chosen, methods, seeds)
    for method in methods:
        kept = KeptSettings(cells, setting, method)
        kept.expect(list(by_method[method.name].values()))
    own = subject(tuple(methods))
    name = own.name if own else None
    frame = results.table(by_method, CUTOFFS)
    tests = results.significance(by_method, name or methods[0].name, CUTOFFS)
    _write(cells, setting, frame, tests)
    text = [about(cells, by_method, name)]
    for protocol in PROTOCOLS:
        text += [f"### {TITLES[protocol]}\n"]
        text += [results.comparison(frame, tests, name, protocol)]
    place = cells.results / f"{setting.name}.md"
    place.write_text("\n".join(text), encoding="utf-8")
    plots.comparison(frame, cells.results / f"{setting.name}.png", name)
    note(cells, setting, by_method, seeds)
    return by_method


def _write(
    cells: Cells, setting: Setting, frame: pd.DataFrame, tests: pd.DataFrame
) -> None:
    of_tests = "significance" if setting.name == "table3" else f"{setting.name}-tests"
    results.write_csv(cells.results / f"{setting.name}.csv", frame)
    results.write_csv(cells.results / f"{of_tests}.csv", tests)


def about(cells: Cells, by_method: ByMethod, subject: str | None) -> str:
    """What the table's figures are of."""
    any_cell = next(iter(next(iter(by_method.values())).values()))
    pairs = any_cell.ranks.pairs
    seeds = len(next(iter(by_method.values())))
    against = f" `improvement` and `p`: {subject} over the line." if subject else ""
    return (
        f"{cells.name}: {len(pairs):,} held-out pairs of {users_of(pairs):,} "
        f"users; at least {cells.trials} trials a method; mean ± standard deviation "
        f"over {seeds} seed{'s' * (seeds > 1)}, p by a paired bootstrap over users."
        f"{_how(cells.evaluation)}{against}\n"
    )


def _how(evaluation: EvaluationConfig) -> str:
    """What is not as in the other tables."""
    how = {RANDOM: "", TIME: " Split in time.", LAST: " Split by each user's last."}
    skipped = {
        None: "",
        True: " Skipped impressions rank last for every method.",
        False: " Skipped impressions rank as they are scored.",
    }
    return how[evaluation.split] + skipped[evaluation.skipped_impressions_last]


def note(
    cells: Cells, setting: Setting, by_method: ByMethod, seeds: Iterable[int]
) -> None:
    """Writes the command, the seeds and the hours beside the figures."""
    everything = [cell for by_seed in by_method.values() for cell in by_seed.values()]
    pairs = everything[0].ranks.pairs
    seconds = sum(cell.fit_seconds + cell.rank_seconds for cell in everything)
    content = {
        "command": cells.command,
        "seeds": list(seeds),
        "trials": cells.trials,
        "pairs": len(pairs),
        "users": users_of(pairs),
        "hours_of_fitting_and_ranking": round(seconds / 3600, 3),
    }
    path = cells.results / f"{setting.name}.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def users_of(pairs: Pairs) -> int:
    """How many users have a pair."""
    return len(set(pairs.user.tolist()))


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
