"""Figures of a run: what was measured, beside what, and what the last run gave."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclasses.dataclass(frozen=True)
class Figure:
    """One measured value beside a reference of the same run, in the same unit."""

    value: float
    unit: str
    reference: float | None = None
    beside: str = ""

    @property
    def ratio(self) -> float | None:
        """Value to reference."""
        return self.value / self.reference if self.reference else None

    def to_json(self) -> dict[str, Any]:
        """As kept in a file."""
        return {**dataclasses.asdict(self), "ratio": self.ratio}


Figures = Mapping[str, Figure]


def of_process(module: str, *arguments: str) -> Any:
    """What a module prints as JSON in its last line, run in a process of its own."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def read(path: Path) -> dict[str, Figure]:
    """The figures kept in a file; none if there is no such file."""
    if not path.exists():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    names = [field.name for field in dataclasses.fields(Figure)]
    return {
        key: Figure(**{name: figure[name] for name in names})
        for key, figure in content.items()
    }


def write(path: Path, figures: Figures) -> None:
    """Keeps figures in a file, in place of those of the same names."""
    merged = {**read(path), **figures}
    content = {name: figure.to_json() for name, figure in merged.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def show(figures: Figures, before: Figures, console: Console) -> None:
    """One line a figure: value, ratio, beside what, and the ratio kept before."""
    table = Table(box=None)
    table.add_column("")
    for title in ("value", "", "ratio", "of", "", "kept ratio"):
        table.add_column(title, justify="left" if not title else "right")
    for name, figure in figures.items():
        kept = before.get(name)
        table.add_row(
            name,
            _number(figure.value),
            figure.unit,
            _number(figure.ratio),
            _number(figure.reference),
            figure.beside,
            _number(kept.ratio) if kept else "",
        )
    console.print(table)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 3
    return f"{value:,.{digits}f}"
