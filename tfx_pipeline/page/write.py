"""Writes the page of a run: one file, without a script and without the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import jinja2

from tfx_pipeline.evaluation import COUNT, REPORTED
from tfx_pipeline.page import drawings
from tfx_pipeline.page.content import Content, RunReader
from tfx_pipeline.runs import RUNS
from uvcan_tf.training.fit import MONITOR
from uvcan_tf.training.validation import STOPS_BY, STOPS_BY_IN_WORDS

FILE: Final = "report.html"

_VALIDATION: Final = {
    f"NDCG@{STOPS_BY}": MONITOR,
    "HR@10": "validation_hr@10",
    "MRR": "validation_mrr",
}


def write(root: Path, number: int | None = None) -> Path:
    """Writes `ROOT/runs/<n>/report.html` and returns its path.

    Args:
      root: of the pipeline.
      number: of the run; the last one when None.
    """
    content = RunReader(root, number).content()
    folder = root / RUNS / str(content.number)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    path.write_text(html(content), encoding="utf-8")
    return path


def html(content: Content) -> str:
    """The page as text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["json"] = lambda value: json.dumps(value, indent=2)
    return environment.get_template("page.html").render(
        content=content,
        reported=REPORTED,
        count=COUNT,
        bars=drawings.bars,
        curves=_curves(content.training),
        monitor=MONITOR,
        stops_by=STOPS_BY_IN_WORDS,
        total_s=sum(timing.wall_s for timing in content.timings),
        peak_mb=max((t.peak_mb or 0 for t in content.timings), default=0),
    )


def _curves(training: dict[str, Any] | None) -> dict[str, Any]:
    """The learning curves by title; without figures there is no curve."""
    epochs = (training or {}).get("curve", [])
    kept = (training or {}).get("best_epoch") or None  # epoch 0 is not drawn
    groups = {
        "Loss": {"loss": "loss", "l2": "l2"},
        "Validation": _VALIDATION,
        "Norm of an epoch's change": {"change": "update_norm"},
        "Norm of a gradient": {"gradient": "gradient_norm"},
    }
    found = {}
    for title, keys in groups.items():
        series = {
            name: [epoch[key] for epoch in epochs]
            for name, key in keys.items()
            if epochs and all(key in epoch for epoch in epochs)
            if key != "l2" or any(epoch[key] for epoch in epochs)
        }
        if series:
            found[title] = drawings.lines(series, kept)
    return found
