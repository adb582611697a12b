"""Charts of the page as inline SVG, in the page's own colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup, escape

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 460, 190, 52, 110, 10, 28
_COLOURS: Final = 4  # --line-0 to --line-3


def lines(series: Mapping[str, Sequence[float]], marked: int | None = None) -> Markup:
    """Curves over the epochs 1, 2, …, each with its name at its end.

    Args:
      series: values by name, as many each.
      marked: the epoch that was kept.
    """
    every = [value for values in series.values() for value in values]
    if not every:
        return Markup("")
    plane = _Plane(min(every), max(every), max(map(len, series.values())))
    parts = [plane.axes()]
    if marked is not None:
        at = plane.x(marked - 1)
        parts.append(
            f'<line class="kept" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" '
            f'y2="{_HEIGHT - _BOTTOM}"/>'
        )
    ends = _apart({name: plane.y(values[-1]) for name, values in series.items()})
    for number, (name, values) in enumerate(series.items()):
        style = f"--colour: var(--line-{number % _COLOURS})"
        points = [f"{plane.x(i):.1f},{plane.y(v):.1f}" for i, v in enumerate(values)]
        x, y = points[-1].split(",")
        parts.append(
            f'<g style="{style}"><polyline points="{" ".join(points)}"/>'
            f'<circle r="2.5" cx="{x}" cy="{y}"/>'
            f'<text class="name" x="{float(x) + 7:.1f}" y="{ends[name] + 4:.1f}">'
            f"{escape(name)}</text></g>"
        )
    return _svg(_WIDTH, _HEIGHT, "".join(parts))


class _Plane:
    """Where values of epochs stand in the picture."""

    def __init__(self, low: float, high: float, count: int) -> None:
        self._low, self._count = low, count
        self._high = high if high > low else low + (abs(low) or 1.0)

    def x(self, number: int) -> float:
        inside = _WIDTH - _LEFT - _RIGHT
        return _LEFT + inside * (number / max(self._count - 1, 1))

    def y(self, value: float) -> float:
        inside = _HEIGHT - _TOP - _BOTTOM
        return _TOP + inside * (1 - (value - self._low) / (self._high - self._low))

    def axes(self) -> str:
        bottom, last = _HEIGHT - _BOTTOM, self.x(self._count - 1)
        marks = "".join(
            f'<text class="tick" x="{_LEFT - 6}" y="{self.y(value) + 4:.1f}" '
            f'text-anchor="end">{value:.3g}</text>'
            for value in (self._high, (self._low + self._high) / 2, self._low)
        )
        return (
            f'<line class="axis" x1="{_LEFT}" x2="{last:.1f}" y1="{bottom}" '
            f'y2="{bottom}"/>{marks}'
            f'<text class="tick" x="{_LEFT}" y="{_HEIGHT - 10}">epoch 1</text>'
            f'<text class="tick" x="{last:.1f}" y="{_HEIGHT - 10}" text-anchor="end">'
            f"{self._count}</text>"
        )


def bars(values: Sequence[float]) -> Markup:
    """A small histogram, its highest bar as high as the picture."""
    most, width, height = max(values, default=0), 110, 22
    if not most:
        return Markup("")
    each = width / len(values)
    parts = [
        f'<rect x="{i * each:.1f}" width="{max(each - 1, 0.5):.1f}" '
        f'y="{height - height * value / most:.1f}" '
        f'height="{height * value / most:.1f}"/>'
        for i, value in enumerate(values)
    ]
    return _svg(width, height, "".join(parts), "bars")


def _apart(ends: Mapping[str, float]) -> dict[str, float]:
    """The same heights, moved so that no two names overlap."""
    moved: dict[str, float] = {}
    before = -1e9
    for name, at in sorted(ends.items(), key=lambda item: item[1]):
        moved[name] = before = max(at, before + 14)
    return moved


def _svg(width: int, height: int, content: str, kind: str = "lines") -> Markup:
    return Markup(
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img">{content}</svg>'
    )
