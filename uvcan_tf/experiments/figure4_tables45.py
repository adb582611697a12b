"""Figure 4 and Tables 4 and 5: other widths and other numbers of hops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from uvcan_tf.experiments import plots, results
from uvcan_tf.experiments.cells import Clock, Lab, is_measured, measured
from uvcan_tf.experiments.method import Method, Neural, without_epochs
from uvcan_tf.experiments.methods import subject
from uvcan_tf.experiments.results import SHOWN
from uvcan_tf.experiments.setting import PROTOCOLS, Task
from uvcan_tf.experiments.table3 import TITLES, sentence, tune
from uvcan_tf.search_spaces import Values

FACTORS: Final = (16, 32, 64)
HOPS: Final = (1, 2, 3, 4)


def _factors_setting(method: Method) -> str:
    return "model.factors" if isinstance(method, Neural) else "factors"


def has_factors(method: Method) -> bool:
    """Whether a method has embeddings, whose width can be another."""
    return _factors_setting(method) in method.space


def rows_of(
    lab: Lab,
    task: Task,
    jobs: Sequence[tuple[Method, Values, Mapping[str, Any]]],
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Figures of every job (method, settings, labels) with every seed."""
    clock = Clock(len(jobs) * len(seeds), lab.say)
    rows: list[dict[str, Any]] = []
    for method, values, labels in jobs:
        for seed in seeds:
            was_there = is_measured(lab, task, method, values, seed)
            cell = measured(lab, task, method, values, seed)
            shown = ", ".join(f"{v} {k}" for k, v in labels.items())
            clock.done(
                f"{method.name}, {shown}, seed {seed}: {sentence(cell)}",
                None if was_there else cell.fit_seconds + cell.rank_seconds,
            )
            rows += results.figures(
                cell.ranks, (10,), method=method.name, **labels, seed=seed
            )
    return pd.DataFrame(rows)


def figure4(
    lab: Lab, task: Task, methods: Sequence[Method], seeds: Sequence[int]
) -> None:
    """HR@10 and NDCG@10 of every method with embeddings for K = 16, 32, 64.

    Other settings are those of Table 3, but for the number of epochs: each width stops
    early on pairs set apart.
    """
    sized = [method for method in methods if has_factors(method)]
    settings = tune(lab, task, sized)
    jobs = [
        (
            method,
            {**without_epochs(settings[method.name]), _factors_setting(method): k},
            {"factors": k},
        )
        for method in sized
        for k in FACTORS
    ]
    frame = rows_of(lab, task, jobs, seeds)
    results.write_csv(lab.results / "figure4.csv", frame)
    own = subject(tuple(sized))
    place = lab.results / "figure4.png"
    plots.lines(frame, place, "factors", "K", own.name if own else None)


def tables45(lab: Lab, task: Task, method: Method, seeds: Sequence[int]) -> None:
    """HR@10 and NDCG@10 for 1 to 4 hops and every K.

    NDCG@10 on Toffee_a is the paper's Table 4, on Toffee_b its Table 5.
    """
    settings = without_epochs(tune(lab, task, [method])[method.name])
    jobs = [
        (
            method,
            {**settings, "model.factors": k, "model.hops": hops},
            {"hops": hops, "factors": k},
        )
        for k in FACTORS
        for hops in HOPS
    ]
    frame = rows_of(lab, task, jobs, seeds)
    results.write_csv(lab.results / "tables45.csv", frame)
    text = [f"{lab.name}: {method.name}, mean over {len(seeds)} seed(s).\n"]
    for name, shown in SHOWN.items():
        for protocol in PROTOCOLS:
            text += [f"### {shown}@10. {TITLES[protocol]}\n"]
            text += [_grid(frame, name, protocol)]
    (lab.results / "tables45.md").write_text("\n".join(text), encoding="utf-8")
    plots.grid(frame, lab.results / "tables45.png", "hops", "factors")


def _grid(frame: pd.DataFrame, metric: str, protocol: str) -> str:
    part = frame[(frame.metric == metric) & (frame.protocol == protocol)]
    means = part.pivot_table("value", "hops", "factors", sort=False)
    header = ["hops", *(f"K = {k}" for k in means.columns)]
    rows = [[str(hops), *(f"{v:.4f}" for v in line)] for hops, line in means.iterrows()]
    return results.markdown(header, rows)
