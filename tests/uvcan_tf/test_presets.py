"""Presets, and the file by which a pipeline takes one."""

from __future__ import annotations

from pathlib import Path

from uvcan_tf import config, presets

CONFIGS = Path(__file__).parents[2] / "configs"


def test_the_file_for_pipelines_is_the_preset() -> None:
    assert config.load(CONFIGS / "best.json") == presets.best()
    assert config.load(CONFIGS / "history.json") == presets.history()


def test_the_paper_is_the_default() -> None:
    assert presets.paper() == config.Config()
