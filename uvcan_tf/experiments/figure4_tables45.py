"""Figure 4 and Tables 4 and 5: other widths and other numbers of hops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from uvcan_tf.experiments import plots, results
from uvcan_tf.experiments.cells import Cells
from uvcan_tf.experiments.choice import subject
from uvcan_tf.experiments.method import Method, Neural
from uvcan_tf.experiments.results import METRIC_NAMES, TITLES
from uvcan_tf.experiments.runs import rows_of, tune
from uvcan_tf.experiments.setting import PROTOCOLS, Setting

FACTORS: Final = (16, 32, 64)
HOPS: Final = (1, 2, 3, 4)


def _factors_setting(method: Method) -> str:
    return "model.factors" if isinstance(method, Neural) else "factors"


def has_factors(method: Method) -> bool:
    """Whether a method has embeddings, whose width can be another."""
    return _factors_setting(method) in method.space


def figure4(
    cells: Cells, setting: Setting, methods: Sequence[Method], seeds: Sequence[int]
) -> None:
    """HR@10 and NDCG@10 of every method with embeddings for K = 16, 32, 64.

    Other settings are those of Table 3.
    """
    sized = [method for method in methods if has_factors(method)]
    chosen = tune(cells, setting, sized)
    jobs = [
        (
            method,
            {**chosen[method.name], _factors_setting(method): k},
            {"factors": k},
        )
        for method in sized
        for k in FACTORS
    ]
    frame = rows_of(cells, setting, jobs, seeds)
    results.write_csv(cells.results / "figure4.csv", frame)
    own = subject(tuple(sized))
    place = cells.results / "figure4.png"
    plots.lines(frame, place, "factors", "K", own.name if own else None)


def tables45(
    cells: Cells, setting: Setting, method: Method, seeds: Sequence[int]
) -> None:
    """HR@10 and NDCG@10 for 1 to 4 hops and every K.

    NDCG@10 on Toffee_a is the paper's Table 4, on Toffee_b its Table 5.
    """
    chosen = tune(cells, setting, [method])[method.name]
    jobs = [
        (
            method,
            {**chosen, "model.factors": k, "model.hops": hops},
            {"hops": hops, "factors": k},
        )
        for k in FACTORS
        for hops in HOPS
    ]
    frame = rows_of(cells, setting, jobs, seeds)
    results.write_csv(cells.results / "tables45.csv", frame)
    text = [f"{cells.name}: {method.name}, mean over {len(seeds)} seed(s).\n"]
    for name, shown in METRIC_NAMES.items():
        for protocol in PROTOCOLS:
            text += [f"### {shown}@10. {TITLES[protocol]}\n"]
            text += [_grid(frame, name, protocol)]
    (cells.results / "tables45.md").write_text("\n".join(text), encoding="utf-8")
    plots.grid(frame, cells.results / "tables45.png", "hops", "factors")


def _grid(frame: pd.DataFrame, metric: str, protocol: str) -> str:
    part = frame[(frame.metric == metric) & (frame.protocol == protocol)]
    means = part.pivot_table("value", "hops", "factors", sort=False)
    header = ["hops", *(f"K = {k}" for k in means.columns)]
    rows = [[str(hops), *(f"{v:.4f}" for v in line)] for hops, line in means.iterrows()]
    return results.markdown(header, rows)
