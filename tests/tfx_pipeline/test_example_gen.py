"""What ExampleGen's cache compares between two runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from google.protobuf import json_format
from tfx.components.example_gen import utils
from tfx.proto import example_gen_pb2

from tests.tfx_pipeline.worlds import FEATURES
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.example_gen import example_gen


def fingerprint(folder: Path) -> str:
    """As TFX's driver computes it."""
    config = PipelineConfig(str(folder), str(folder / "root"), FEATURES)
    node = example_gen(config)
    given = example_gen_pb2.Input()
    json_format.Parse(node.exec_properties["input_config"], given)
    found, *_ = utils.calculate_splits_fingerprint_span_and_version(
        str(folder), given.splits
    )
    return str(found)


@pytest.mark.parametrize("name", ["part-0.csv", "span-3/part-0.csv"])
def test_a_part_file_that_was_written_anew_is_seen(tmp_path: Path, name: str) -> None:
    (tmp_path / "users.csv").write_text("user_id\nu1\n")
    part = tmp_path / "interactions" / name
    part.parent.mkdir(parents=True)
    part.write_text("user_id,video_id\nu1,v1\n")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    os.utime(part, (1, 1))
    assert fingerprint(tmp_path) != before


def test_a_folder_without_part_files_has_a_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user_id\nu1\n")
    assert "split:files,num_files:1," in fingerprint(tmp_path)


def test_other_days_are_other_settings(tmp_path: Path) -> None:
    """The cache compares settings, too."""
    three, every = (
        example_gen(PipelineConfig(str(tmp_path), "root", FEATURES, days=days))
        for days in ("3", "")
    )
    settings = [node.exec_properties["custom_config"] for node in (three, every)]
    assert settings[0] != settings[1]
