"""Shows a run: a line for each component, then figures, verdict and timings."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tfx_pipeline import board, failures, local, report, runs
from tfx_pipeline.config import SERVING, PipelineConfig
from tfx_pipeline.evaluation import COUNT, REPORTED
from tfx_pipeline.page.content import RunReader
from tfx_pipeline.page.write import write
from tfx_pipeline.report import Report
from tfx_pipeline.screen import logs_in
from tfx_pipeline.timings import Timing


def run(config: PipelineConfig) -> bool:
    """Runs the pipeline and shows it; returns whether it came to its end."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    root = Path(config.root)
    log, before = root / "logs" / f"{now}.log", runs.folders(root)
    with logs_in(log) as terminal:
        shown = _Shown(Console(file=terminal, highlight=False))
        try:
            timings = local.run(config, shown.started, shown.finished, shown.say)
            found = report.read(config)
            _show(shown.console, Path(config.serving), found)
            _show_timings(shown.console, timings)
            shown.say(f"Report: {_leave_pages(root, found)}")
        except Exception as error:  # shown as one sentence; the log has the rest
            logging.getLogger(__name__).exception("The run has stopped.")
            sentence = failures.sentence(error, root, log)
            shown.failed(sentence)
            with contextlib.suppress(Exception):  # the log has what a page cannot tell
                for folder in runs.folders(root) - before:
                    (folder / runs.FAILURE).write_text(sentence, encoding="utf-8")
                write(root)
            return False
    return True


def show(root: Path, number: int | None) -> None:
    """Prints the figures and timings of an earlier run, the last one when None.

    Raises:
      ConfigError: there is no such run.
    """
    console, run = Console(highlight=False), RunReader(root, number)
    console.print(f"Run {run.number}, began {run.began}")
    for node in run.failed:
        console.print(f"Failed: {node}")
    found = run.report()
    if found is not None:
        _show(console, root / SERVING, found)
    _show_timings(console, run.timings())


def _leave_pages(root: Path, found: Report) -> Path:
    """Writes the run's page, and the Evaluator's figures for TensorBoard."""
    name = f"run-{runs.newest(root)}"
    board.write_evaluation(found.slices, root / runs.TENSORBOARD / name)
    return write(root)


def leave(status: int) -> None:
    """Ends the process at once: TensorFlow prints harmless errors as it cleans up."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class _Shown:
    """What is on the screen of a run, and which component it is about."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._running = ""

    def started(self, component: str) -> None:
        self._running = component
        if self.console.is_terminal:
            self.console.print(f"  {component} ...", end="\r")

    def finished(self, timing: Timing) -> None:
        self._running = ""
        self.console.print(_line(timing))

    def say(self, sentence: str) -> None:
        self.console.print(sentence, soft_wrap=True, markup=False)

    def failed(self, sentence: str) -> None:
        where = f"{self._running}: " if self._running else ""
        self.say(f"Error: {where}{sentence}")


def _line(timing: Timing) -> str:
    took = "cached" if timing.cached else f"{timing.wall_s:.1f} s"
    return f"  {timing.component:<32}{took:>10}"


def _show(console: Console, serving: Path, found: Report) -> None:
    table = Table("slice", *REPORTED, "pairs", box=None, title="Evaluation")
    for name, metrics in found.slices.items():
        figures = [f"{metrics[metric]:.4f}" for metric in REPORTED]
        table.add_row(name, *figures, f"{metrics[COUNT]:,.0f}")
    console.print(table)
    if found.blessed:
        console.print(f"Blessed. Pushed to {found.pushed}", soft_wrap=True)
        return
    console.print(f"Not blessed, not pushed: {' '.join(found.reasons)}", soft_wrap=True)
    kept = found.pushed or f"nothing yet in {serving}"
    console.print(f"In use: {kept}", soft_wrap=True)


def _show_timings(console: Console, timings: list[Timing]) -> None:
    table = Table("component", "wall time", "peak memory", box=None, title="Timings")
    for timing in timings:
        took = "cached" if timing.cached else f"{timing.wall_s:.1f} s"
        table.add_row(timing.component, took, _memory(timing.peak_mb))
    total = sum(timing.wall_s for timing in timings)
    peak = max((timing.peak_mb or 0 for timing in timings), default=0)
    table.add_row("all", f"{total:.1f} s", _memory(peak))
    console.print(table)


def _memory(peak_mb: float | None) -> str:
    return f"{peak_mb:,.0f} MB" if peak_mb else "not recorded"
