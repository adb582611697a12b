"""Figures of measured cells as rows, and rows as CSV and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from uvcan_tf.evaluation import metrics
from uvcan_tf.evaluation.ranking import FULL, SAMPLED, Ranked, Ranks
from uvcan_tf.experiments.bootstrap import paired_bootstrap
from uvcan_tf.experiments.cells import Measured

#: Metrics of a pair by the name they have in every CSV.
METRICS: Final = {"hr": metrics.hit_ratio, "ndcg": metrics.ndcg}
METRIC_NAMES: Final = {"hr": "HR", "ndcg": "NDCG"}
#: How the tables call the two protocols.
TITLES: Final = {SAMPLED: "Among 1,000 sampled videos", FULL: "Among all videos"}
TABLE_COLUMNS: Final = ["method", "protocol", "metric", "k", "seed", "value"]
TEST_COLUMNS: Final = ["method", "protocol", "metric", "k", "difference", "p_value"]

ByMethod = Mapping[str, Mapping[int, Measured]]  # by method and seed


def figures(
    ranks: Ranks,
    cutoffs: Sequence[int],
    where: npt.NDArray[np.bool_] | None = None,
    **labels: Any,
) -> list[dict[str, Any]]:
    """A row for the mean of every metric, over all pairs or some.

    Args:
      ranks: of one method and seed.
      cutoffs: k.
      where: bool [P], the pairs that count.
      **labels: further columns of each row.
    """
    return [
        {
            **labels,
            "protocol": protocol,
            "metric": name,
            "k": k,
            "value": float(metric(_some(ranked, where), k).mean()),
        }
        for protocol, ranked in ranks.by_protocol.items()
        for name, metric in METRICS.items()
        for k in cutoffs
    ]


def _some(
    ranked: Ranked, where: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.float64]:
    return ranked.rank if where is None else ranked.rank[where]


def table(by_method: ByMethod, cutoffs: Sequence[int]) -> pd.DataFrame:
    """The figures of all cells, `TABLE_COLUMNS`."""
    rows = [
        row
        for method, by_seed in by_method.items()
        for seed, cell in by_seed.items()
        for row in figures(cell.ranks, cutoffs, method=method, seed=seed)
    ]
    return pd.DataFrame(rows)[TABLE_COLUMNS]


def significance(
    by_method: ByMethod, subject: str, cutoffs: Sequence[int]
) -> pd.DataFrame:
    """The subject against each other method, `TEST_COLUMNS`; seeds are averaged."""
    others = [method for method in by_method if method != subject]
    keys = [
        (method, protocol, name, k)
        for method in others
        for protocol in _first(by_method[subject]).ranks.by_protocol
        for name in METRICS
        for k in cutoffs
    ]
    own = {key[1:]: _mean_by_pair(by_method[subject], *key[1:]) for key in keys}
    columns = [
        own[key[1:]] - _mean_by_pair(by_method[key[0]], *key[1:]) for key in keys
    ]
    user = _first(by_method[subject]).ranks.pairs.user
    tests = paired_bootstrap(np.stack(columns, axis=1), user) if columns else []
    rows = [(*key, *test) for key, test in zip(keys, tests, strict=True)]
    return pd.DataFrame(rows, columns=TEST_COLUMNS)


def _first(by_seed: Mapping[int, Measured]) -> Measured:
    return next(iter(by_seed.values()))


def _mean_by_pair(
    by_seed: Mapping[int, Measured], protocol: str, name: str, k: int
) -> npt.NDArray[np.float64]:
    values = [
        METRICS[name](cell.ranks.by_protocol[protocol].rank, k)
        for cell in by_seed.values()
    ]
    return np.asarray(np.mean(values, axis=0))


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Writes rows, figures to six places."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, float_format="%.6g")


def mean_and_spread(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Mean and standard deviation over seeds, in the rows' order."""
    grouped = frame.groupby(list(by), sort=False)["value"]
    spread = grouped.std(ddof=1).fillna(0.0)
    return pd.DataFrame({"mean": grouped.mean(), "spread": spread}).reset_index()


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = ["| " + " | ".join(header) + " |"]
    lines.append("|" + "|".join(["---", *["---:"] * (len(header) - 1)]) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def comparison(
    frame: pd.DataFrame, tests: pd.DataFrame, subject: str | None, protocol: str
) -> str:
    """Table 3 of one protocol: means, and what the subject adds to each method."""
    part = frame[(frame.protocol == protocol) & (frame.k == 10)]
    means = mean_and_spread(part, ("method", "metric")).set_index(["method", "metric"])
    p_values = tests[(tests.protocol == protocol) & (tests.k == 10)]
    p_values = p_values.set_index(["method", "metric"])["p_value"]
    header = ["method"]
    for shown in METRIC_NAMES.values():
        header += [f"{shown}@10", "improvement", "p"]
    rows = []
    for method in dict.fromkeys(part.method):
        row = [f"**{method}**" if method == subject else method]
        for name in METRIC_NAMES:
            own = means.loc[(method, name)]
            row.append(with_spread(own["mean"], own["spread"]))
            if subject is None or method == subject:
                row += ["", ""]
                continue
            best = means.loc[(subject, name)]["mean"]
            better = f"{best / own['mean'] - 1:+.2%}" if own["mean"] > 1e-9 else ""
            row += [better or "from 0", f"{p_values[(method, name)]:.4f}"]
        rows.append(row)
    return markdown(header, rows)


def with_spread(value: float, spread: float) -> str:
    """A mean and, where there are several seeds, its standard deviation."""
    return f"{value:.4f}" + (f" ± {spread:.4f}" if spread else "")
