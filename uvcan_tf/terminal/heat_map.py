"""A matrix of weights as a picture, each cell with its number in it.

Shapes: R rows, C columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

_CELL_WIDTH, _CELL_HEIGHT = 0.95, 0.42  # inches
_DARK: Final = 0.55  # weights from which on white is easier to read than black


def figure(
    weights: Sequence[Sequence[float]],
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
) -> Any:
    """A matplotlib figure of weights [R, C] from 0 to 1, with names and numbers."""
    from matplotlib.figure import Figure

    left = 0.25 + 0.085 * max(len(name) for name in rows)
    width = max(
        left + _CELL_WIDTH * len(columns) + 0.2,
        0.4 + 0.088 * max(map(len, title.splitlines())),
    )
    height = 1.25 + _CELL_HEIGHT * len(rows)
    drawn = Figure(figsize=(width, height), dpi=100)
    axes = drawn.add_axes(
        (
            left / width,
            0.1 / height,
            _CELL_WIDTH * len(columns) / width,
            _CELL_HEIGHT * len(rows) / height,
        )
    )
    axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), [_short(name) for name in columns])
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0, labelsize=9)
    axes.xaxis.tick_top()
    _write_numbers(axes, weights)
    drawn.text(
        *(0.12 / width, 1 - 0.1 / height, title),
        fontsize=10,
        weight="bold",
        va="top",
    )
    return drawn


def _write_numbers(axes: Any, weights: Sequence[Sequence[float]]) -> None:
    for row, values in enumerate(weights):
        for column, value in enumerate(values):
            colour = "white" if value > _DARK else "black"
            axes.text(
                column,
                row,
                f"{value:.3f}",
                ha="center",
                va="center",
                color=colour,
                fontsize=9,
            )


def pixels(drawn: Any) -> Any:
    """The figure as uint8 [height, width, 4]."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    return np.array(canvas.buffer_rgba())


def _short(name: str) -> str:
    """A facet and its value below each other, neither wider than a cell."""
    parts = name.split(": ", 1)
    return "\n".join(part if len(part) <= 13 else f"{part[:12]}…" for part in parts)
