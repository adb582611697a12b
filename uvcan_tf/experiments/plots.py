"""The plots: drawn from the rows of a CSV, without a screen.

The title says the data set, the seeds and what whiskers are. At most eight lines have a
colour, those of Okabe and Ito, which the colour-blind tell apart, and their name at
their end; weaker methods are grey.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
_WEAK: Final = "#c4c9cf"
#: Okabe and Ito's, without yellow, which is too light for a line.
_COLOURS: Final = (
    *("#0072b2", "#009e73", "#cc79a7", "#e69f00"),
    *("#56b4e9", "#000000", "#7a5195"),
)
_MARKERS: Final = "sD^v<>p"
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
    with _panels(path, len(METRIC_NAMES), len(protocols), 2.9) as (figure, axes):
        figure.suptitle(_title(frame, path, "whiskers: one standard deviation"))
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
    colours = _by_strength(frame, subject)
    with _panels(path, len(METRIC_NAMES), len(protocols), 3.4) as (figure, axes):
        figure.suptitle(_title(frame, path, "means"))
        weak = [method for method in colours if colours[method]["color"] == _WEAK]
        if weak:
            figure.supxlabel(f"grey: {', '.join(weak)}", fontsize=8)
        for row, (metric, shown) in enumerate(METRIC_NAMES.items()):
            for column, protocol in enumerate(protocols):
                part = _part(frame, protocol, metric)
                axis = axes[row, column]
                _draw(axis, part, over, colours)
                axis.set_xlabel(label)
                axis.set_ylabel(f"{shown}@{'k' if over == 'k' else 10}")
                axis.set_title(f"among {_NAMES[protocol]}", fontsize=10)


def _title(frame: pd.DataFrame, path: Path, shown: str) -> str:
    """The data set, the seeds, and what is drawn over them."""
    seeds = sorted(set(frame.seed))
    over = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    told = f"{shown} over {over}" if len(seeds) > 1 else over
    return f"{path.parent.name}: {path.stem}; {told}"


def _by_strength(frame: pd.DataFrame, subject: str | None) -> dict[str, Any]:
    """A line's style by method: the subject's, the strongest others', or grey."""
    part = frame[frame.metric == frame.metric.iloc[-1]]
    strength = part.groupby("method").value.mean().sort_values(ascending=False)
    styles: dict[str, Any] = {}
    if subject in strength.index:
        styles[str(subject)] = {
            **{"color": _OWN, "marker": "o", "markersize": 5},
            **{"linewidth": 2.2, "zorder": 4},
        }
    others = [method for method in strength.index if method != subject]
    for number, method in enumerate(others):
        strong = number < len(_COLOURS)
        styles[method] = {
            "color": _COLOURS[number] if strong else _WEAK,
            "marker": _MARKERS[number] if strong else None,
            **{"markersize": 4, "linewidth": 1.3, "zorder": 3 if strong else 2},
        }
    return styles


def _draw(axis: Any, part: pd.DataFrame, over: str, styles: Mapping[str, Any]) -> None:
    values = list(dict.fromkeys(part[over]))
    as_numbers = all(isinstance(v, int | float | np.number) for v in values)
    places = values if as_numbers else list(range(len(values)))
    ends = {}
    for method in dict.fromkeys(part.method):
        means = mean_and_spread(part[part.method == method], (over,))
        means = means.set_index(over)["mean"].reindex(values)
        axis.plot(places, means, label=method, **styles[method])
        if styles[method]["color"] != _WEAK:
            ends[method] = means.iloc[-1]
    _name_at_ends(axis, places[-1], ends, styles)
    axis.set_xticks(places, [str(v) for v in values])


def _name_at_ends(
    axis: Any, place: float, ends: Mapping[str, float], styles: Mapping[str, Any]
) -> None:
    """The methods' names beside their last values, none over another."""
    low, high = axis.get_ylim()
    apart, placed = (high - low) / 17, dict[str, float]()
    for method, end in sorted(ends.items(), key=lambda item: item[1]):
        placed[method] = max(end, max(placed.values(), default=-np.inf) + apart)
    up = np.mean([placed[method] - end for method, end in ends.items()])
    for method, at in placed.items():
        axis.annotate(
            method,
            (place, at - up),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=styles[method]["color"],
            annotation_clip=False,
        )


def grid(frame: pd.DataFrame, path: Path, rows: str, columns: str) -> None:
    """Lines over `columns`, one for every value of `rows`: Tables 4 and 5."""
    drawn = frame.assign(method=[f"{rows} = {v}" for v in frame[rows]])
    lines(drawn, path, columns, columns, None)


def _part(frame: pd.DataFrame, protocol: str, metric: str) -> pd.DataFrame:
    return frame[(frame.protocol == protocol) & (frame.metric == metric)]
