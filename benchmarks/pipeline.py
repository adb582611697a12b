"""The pipeline on tables of Toffee_b's size: each component, and a cached rerun."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.results import Figure
from benchmarks.timing import once
from uvcan_tf.data.sources.synthetic import generate

_PRESET = "toffee_b"
_TRAINER = "Trainer"
_GOAL_S = 180.0
_CACHED_GOAL_S = 30.0
_AS_A_COMMAND = """
from tfx_pipeline.quick_imports import quick_imports
with quick_imports():
    import tfx_pipeline.pipeline
"""
_SETTINGS = {"training": {"epochs": 1, "batch_size": 2048, "validation_users": 100}}


def measure_imports() -> dict[str, Figure]:
    """What a command waits for before it begins."""
    tensorflow = _seconds("import tensorflow")
    return {
        "tfx_import_s": Figure(
            _seconds(_AS_A_COMMAND), "s", tensorflow, "import tensorflow"
        )
    }


def measure(folder: Path) -> dict[str, Figure]:
    """One epoch; what training takes is told elsewhere."""
    tables, root = folder / "tables", folder / "pipeline"
    if not tables.exists():
        generate(_PRESET, tables, seed=1)
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.json"
    config.write_text(json.dumps(_SETTINGS), encoding="utf-8")
    shutil.rmtree(root, ignore_errors=True)  # or the cache would have it all
    command = [sys.executable, "-m", "tfx_pipeline", "run", "--min-hit-rate", "0"]
    command += ["--data", str(tables), "--root", str(root), "--config", str(config)]
    whole = once(lambda: _run(command))
    components = _components(root)
    rerun = once(lambda: _run(command))
    training = components[_TRAINER]["wall_s"]
    figures = {
        "pipeline_without_training_s": Figure(
            whole - training, "s", _GOAL_S, "the goal, 3 minutes"
        ),
        "pipeline_cached_s": Figure(rerun, "s", _CACHED_GOAL_S, "the goal"),
        "pipeline_peak_mb": Figure(
            max(timing["peak_mb"] for timing in components.values()), "MB"
        ),
    }
    for name, timing in components.items():
        if timing["wall_s"] >= 1:
            figures[f"pipeline_{name}_s"] = Figure(
                timing["wall_s"], "s", whole, "the whole run"
            )
    return figures


def _components(root: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((root / "timings.json").read_text(encoding="utf-8"))
    return {timing["component"]: timing for timing in content}


def _seconds(code: str) -> float:
    """The better of two tries; the first may read from disk."""
    return min(once(lambda: _run([sys.executable, "-c", code])) for _ in range(2))


def _run(command: list[str]) -> None:
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
