"""A matrix of weights as a picture, each cell with its number in it.

By Pillow, which takes a hundredth of matplotlib's time.

Shapes: R rows, C columns.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_CELL_WIDTH, _CELL_HEIGHT, _GAP = 95, 42, 12  # pixels
_DARK: Final = 0.55  # weights from which on white is easier to read than black
_COLOURS: Final = ((247, 251, 255), (107, 174, 214), (8, 48, 107))  # of 0, 1/2 and 1


def picture(
    weights: Sequence[Sequence[float]],
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
) -> Image:
    """A picture of weights [R, C] from 0 to 1, with names and numbers."""
    from PIL import Image, ImageDraw

    plain, bold = _font("DejaVuSans"), _font("DejaVuSans-Bold")
    heads = [_short(name) for name in columns]
    measure = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    title_box = measure.multiline_textbbox((0, 0), title, bold)
    heads_box = measure.multiline_textbbox((0, 0), max(heads, key=_lines), plain)
    left = 2 * _GAP + max(round(plain.getlength(name)) for name in rows)
    top = 3 * _GAP + int(title_box[3] + heads_box[3])
    width = max(left + _CELL_WIDTH * len(columns), _GAP + int(title_box[2])) + _GAP
    height = top + _CELL_HEIGHT * len(rows) + _GAP
    drawn = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(drawn)
    pen.multiline_text((_GAP, _GAP), title, "black", bold)
    for number, name in enumerate(heads):
        middle = (left + _CELL_WIDTH * (number + 0.5), top - _GAP / 2)
        pen.multiline_text(middle, name, "black", plain, "md", align="center")
    for number, (name, values) in enumerate(zip(rows, weights, strict=True)):
        y = top + _CELL_HEIGHT * number
        middle = (left - _GAP, y + _CELL_HEIGHT / 2)
        pen.text(middle, name, "black", plain, "rm")
        _draw_cells(pen, (left, y), values, plain)
    return drawn


def _draw_cells(
    pen: ImageDraw, corner: tuple[int, int], values: Sequence[float], font: FreeTypeFont
) -> None:
    """One row, from its upper left corner."""
    x, y = corner
    for value in values:
        box = (x, y, x + _CELL_WIDTH - 1, y + _CELL_HEIGHT - 1)
        pen.rectangle(box, _colour(value))
        middle = (x + _CELL_WIDTH / 2, y + _CELL_HEIGHT / 2)
        colour = "white" if value > _DARK else "black"
        pen.text(middle, f"{value:.3f}", colour, font, "mm")
        x += _CELL_WIDTH


def _colour(value: float) -> tuple[int, ...]:
    """From almost white to dark blue."""
    low, share = (0, 2 * value) if value < 0.5 else (1, 2 * value - 1)
    pairs = zip(_COLOURS[low], _COLOURS[low + 1], strict=True)
    return tuple(round(a + share * (b - a)) for a, b in pairs)


@functools.cache
def _font(name: str) -> FreeTypeFont:
    """One of those that come with matplotlib, which know more than Latin letters."""
    import matplotlib
    from PIL import ImageFont

    file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")
    return ImageFont.truetype(str(file), 13)


def _lines(text: str) -> int:
    return text.count("\n")


def _short(name: str) -> str:
    """A facet and its value below each other, neither wider than a cell."""
    parts = name.split(": ", 1)
    return "\n".join(part if len(part) <= 13 else f"{part[:12]}…" for part in parts)
