"""The examples of a page: a model is loaded for them once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tfx_pipeline.page import examples
from tfx_pipeline.page.examples import Example, Side, kept_examples

FOUND = [
    Example(
        *("ann", "v1", 0.1),
        Side(("video_id", "tags"), ((0.25, 0.75), (0.1, 0.9))),
        Side((), ()),
    )
]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The models that were loaded."""
    asked: list[Path] = []

    def found(model: Path) -> list[Example]:
        asked.append(model)
        return FOUND

    monkeypatch.setattr(examples, "examples", found)
    return asked


def test_the_same_model_is_loaded_once(tmp_path: Path, loaded: list[Path]) -> None:
    (tmp_path / "saved_model.pb").touch()
    kept = tmp_path / "runs" / "examples.json"
    assert kept_examples(tmp_path, kept) == FOUND
    assert kept_examples(tmp_path, kept) == FOUND
    assert loaded == [tmp_path]


def test_another_model_is_loaded(tmp_path: Path, loaded: list[Path]) -> None:
    kept = tmp_path / "examples.json"
    models = [tmp_path / "1", tmp_path / "2"]
    for model in models:
        model.mkdir()
        (model / "saved_model.pb").touch()
        kept_examples(model, kept)
    os.utime(models[1] / "saved_model.pb", (1, 1))  # written anew at the same place
    kept_examples(models[1], kept)
    assert loaded == [*models, models[1]]
