"""Shows a run: a line for each component, then figures, verdict and timings."""

from __future__ import annotations

import datetime
import os
import sys
import traceback
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tfx_pipeline import local, report
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.evaluation import COUNT, REPORTED
from tfx_pipeline.gates import AnomalyError
from tfx_pipeline.report import Report
from tfx_pipeline.rows import RowCountError
from tfx_pipeline.screen import logs_in
from tfx_pipeline.stopwatch import Stopwatch, Timing
from tfx_pipeline.transformed import TransformedError
from uvcan_tf.errors import DataError
from uvcan_tf.training.fit import TrainingError

#: Errors whose text says what to do; of others the log has the whole story.
OURS = (DataError, AnomalyError, RowCountError, TransformedError, TrainingError)


def run(config: PipelineConfig) -> bool:
    """Runs the pipeline and shows it; returns whether it came to its end."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    log = Path(config.root) / "logs" / f"{now}.log"
    with logs_in(log) as terminal:
        console = Console(file=terminal, highlight=False)
        watch = Stopwatch(
            lambda name: _show_running(console, name),
            lambda timing: console.print(_line(timing)),
        )
        try:
            local.run(config, watch)
            _show(console, config, report.read(config))
        except Exception as error:  # shown as one sentence; the log has the rest
            traceback.print_exc(file=sys.stdout)
            _show_failure(console, watch.running, error, log)
            return False
        _show_timings(console, watch.timings)
    return True


def leave(status: int) -> None:
    """Ends the process at once: TensorFlow prints harmless errors as it cleans up."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _show_running(console: Console, name: str) -> None:
    if console.is_terminal:
        console.print(f"  {name} ...", end="\r")


def _line(timing: Timing) -> str:
    took = "cached" if timing.cached else f"{timing.wall_s:.1f} s"
    return f"  {timing.component:<32}{took:>10}"


def _show(console: Console, config: PipelineConfig, found: Report) -> None:
    table = Table("slice", *REPORTED, "pairs", box=None, title="Evaluation")
    for name, metrics in found.slices.items():
        figures = [f"{metrics[metric]:.4f}" for metric in REPORTED]
        table.add_row(name, *figures, f"{metrics[COUNT]:,.0f}")
    console.print(table)
    if found.blessed:
        console.print(f"Blessed. Pushed to {found.pushed}", soft_wrap=True)
        return
    console.print(f"Not blessed, not pushed: {' '.join(found.reasons)}", soft_wrap=True)
    kept = found.pushed or f"nothing yet in {config.serving}"
    console.print(f"In use: {kept}", soft_wrap=True)


def _show_failure(
    console: Console, component: str | None, error: Exception, log: Path
) -> None:
    where = f"{component}: " if component else ""
    if isinstance(error, OURS):
        console.print(f"Error: {where}{error}", soft_wrap=True, markup=False)
        return
    sentence = str(error).strip().splitlines()[0:1]
    console.print(
        f"Error: {where}{type(error).__name__}: {''.join(sentence)} "
        f"The whole story is in {log}.",
        soft_wrap=True,
        markup=False,
    )


def _show_timings(console: Console, timings: list[Timing]) -> None:
    table = Table("component", "wall time", "peak memory", box=None, title="Timings")
    for timing in timings:
        took = "cached" if timing.cached else f"{timing.wall_s:.1f} s"
        table.add_row(timing.component, took, f"{timing.peak_mb:,.0f} MB")
    total = sum(timing.wall_s for timing in timings)
    peak = max(timing.peak_mb for timing in timings)
    table.add_row("all", f"{total:.1f} s", f"{peak:,.0f} MB")
    console.print(table)
