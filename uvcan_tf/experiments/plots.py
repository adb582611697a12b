"""The plots: drawn from the rows of a CSV, without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from uvcan_tf.experiments.results import METRIC_NAMES, mean_and_spread

_OTHERS: Final = "#8da0b6"
_OWN: Final = "#c1440e"
_MARKERS: Final = "osD^v<>pXP*h"
_NAMES: Final = {"sampled": "1,000 sampled videos", "full": "all videos"}


@contextmanager
def _panels(path: Path, rows: int, columns: int, height: float) -> Iterator[Any]:
    """A grid of axes without clutter, written to a PNG at the end."""
    figure = Figure(figsize=(4.6 * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
    yield figure, axes
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=160)


def comparison(frame: pd.DataFrame, path: Path, subject: str | None) -> None:
    """Bars of HR@10 and NDCG@10 under every protocol, spread as whiskers."""
    protocols = list(dict.fromkeys(frame.protocol))
    with _panels(path, len(METRIC_NAMES), len(protocols), 2.9) as (_, axes):
        for row, (metric, shown) in enumerate(METRIC_NAMES.items()):
            for column, protocol in enumerate(protocols):
                part = _part(frame, protocol, metric)
                means = mean_and_spread(part[part.k == 10], ("method",))
                axis, places = axes[row, column], np.arange(len(means))
                colours = [_OWN if m == subject else _OTHERS for m in means.method]
                axis.bar(places, means["mean"], 0.72, color=colours)
                spread = means["spread"]
                axis.errorbar(
                    places, means["mean"], spread, fmt="none", color="black", lw=1
                )
                axis.set_xticks(places, means.method, rotation=45, ha="right")
                axis.set_ylabel(f"{shown}@10")
                axis.set_title(f"among {_NAMES[protocol]}", fontsize=10)


def by_cutoff(frame: pd.DataFrame, path: Path, subject: str | None) -> None:
    """Lines of HR@k and NDCG@k over k, a line for every method."""
    lines(frame, path, "k", "k", subject)


def lines(
    frame: pd.DataFrame, path: Path, over: str, label: str, subject: str | None
) -> None:
    """Lines over a column of the rows, a panel for each metric and protocol.

    Args:
      frame: rows with `method`, `protocol`, `metric`, `value` and that column.
      path: of the PNG.
      over: the column along which methods are compared.
      label: what the axis of that column says.
      subject: the method to stand out.
    """
    protocols = list(dict.fromkeys(frame.protocol))
    with _panels(path, len(METRIC_NAMES), len(protocols), 3.1) as (figure, axes):
        for row, (metric, shown) in enumerate(METRIC_NAMES.items()):
            for column, protocol in enumerate(protocols):
                part = _part(frame, protocol, metric)
                axis = axes[row, column]
                _draw(axis, part, over, subject)
                axis.set_xlabel(label)
                axis.set_ylabel(f"{shown}@{'k' if over == 'k' else 10}")
                axis.set_title(f"among {_NAMES[protocol]}", fontsize=10)
        handles, names = axes[0, 0].get_legend_handles_labels()
        figure.legend(
            handles, names, loc="outside right center", frameon=False, fontsize=9
        )


def _draw(axis: Any, part: pd.DataFrame, over: str, subject: str | None) -> None:
    values = list(dict.fromkeys(part[over]))
    as_numbers = all(isinstance(v, int | float | np.number) for v in values)
    places = values if as_numbers else list(range(len(values)))
    for number, method in enumerate(dict.fromkeys(part.method)):
        means = mean_and_spread(part[part.method == method], (over,))
        means = means.set_index(over)["mean"].reindex(values)
        own = method == subject
        axis.plot(
            places,
            means,
            marker=_MARKERS[number % len(_MARKERS)],
            markersize=5,
            linewidth=2.2 if own else 1.1,
            color=_OWN if own else f"C{number % 10}",
            zorder=3 if own else 2,
            label=method,
        )
    axis.set_xticks(places, [str(v) for v in values])


def grid(frame: pd.DataFrame, path: Path, rows: str, columns: str) -> None:
    """Lines over `columns`, one for every value of `rows`: Tables 4 and 5."""
    drawn = frame.assign(method=[f"{rows} = {v}" for v in frame[rows]])
    lines(drawn, path, columns, columns, None)


def _part(frame: pd.DataFrame, protocol: str, metric: str) -> pd.DataFrame:
    return frame[(frame.protocol == protocol) & (frame.metric == metric)]
