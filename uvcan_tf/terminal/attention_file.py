"""Attention weights as a file that a person can look at: PNG, or HTML."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from uvcan_tf.terminal import heat_map

#: The endings of the files that can be written.
ENDINGS: Final = (".png", ".html")

_STYLE: Final = """
:root { color-scheme: light dark; --cell: 0, 114, 178 }
@media (prefers-color-scheme: dark) { :root { --cell: 56, 150, 210 } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 1rem }
div { overflow-x: auto } table { border-collapse: collapse }
th, td { padding: .25rem .7rem; text-align: left; font-weight: 400 }
td { text-align: center; font-variant-numeric: tabular-nums }
"""


@dataclasses.dataclass(frozen=True)
class Weights:
    """A matrix of attention.

    Attributes:
      title: what it is.
      rows: names of the rows, such as the hops.
      columns: names of the facets.
      weights: [rows, columns], from 0 to 1.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]


def write(path: Path, title: str, matrices: Sequence[Weights]) -> None:
    """Writes the matrices below each other.

    Args:
      path: its ending decides, one of `ENDINGS`.
      title: of the whole.
      matrices: those without rows are left out.
    """
    shown = [matrix for matrix in matrices if matrix.rows]
    if path.suffix == ".html":
        path.write_text(_page(title, shown), encoding="utf-8")
    else:
        _picture(path, title, shown)


def _picture(path: Path, title: str, matrices: Sequence[Weights]) -> None:
    from PIL import Image

    drawn = [
        heat_map.picture(
            matrix.weights,
            matrix.rows,
            matrix.columns,
            matrix.title if number else f"{title}\n{matrix.title}",
        )
        for number, matrix in enumerate(matrices)
    ]
    width = max(part.width for part in drawn)
    whole = Image.new("RGB", (width, sum(part.height for part in drawn)), "white")
    y = 0
    for part in drawn:
        whole.paste(part, (0, y))
        y += part.height
    whole.save(path, optimize=True)


def _page(title: str, matrices: Sequence[Weights]) -> str:
    name = html.escape(title)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title><style>{_STYLE}</style></head><body><h1>{name}</h1>"
        + "".join(map(_table, matrices))
        + "</body></html>\n"
    )


def _table(matrix: Weights) -> str:
    header = "".join(f"<th>{html.escape(name)}</th>" for name in matrix.columns)
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th>{''.join(map(_cell, values))}</tr>"
        for name, values in zip(matrix.rows, matrix.weights, strict=True)
    )
    return (
        f"<h2>{html.escape(matrix.title)}</h2>"
        f"<div><table><tr><th></th>{header}</tr>{rows}</table></div>"
    )


def _cell(weight: float) -> str:
    shade = f"background: rgba(var(--cell), {weight * 0.6:.3f})"
    return f'<td style="{shade}">{weight:.3f}</td>'
