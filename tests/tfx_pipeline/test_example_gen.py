"""What ExampleGen's cache compares between two runs, and what its executor writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from google.protobuf import json_format
from tfx.components.example_gen import utils
from tfx.proto import example_gen_pb2
from tfx.types.standard_artifacts import Examples

from tests.tfx_pipeline import records
from tests.tfx_pipeline.worlds import FEATURES, write_world
from tfx_pipeline import addresses, rows, sharded, snapshot
from tfx_pipeline.config import LOCAL_BEAM, PipelineConfig
from tfx_pipeline.example_gen import Executor, custom_config, example_gen


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


def written(folder: Path, out: Path) -> tuple[Examples, dict[str, list[str]]]:
    """What the executor makes of a world: the artifact, and each split's records."""
    config = PipelineConfig(str(folder), str(folder / "root"), FEATURES)
    examples = Examples()
    examples.uri = str(out / "examples")
    context = Executor.Context(
        beam_pipeline_args=list(LOCAL_BEAM), tmp_dir=str(out / "tmp"), unique_id="1"
    )
    properties = {"input_base": str(folder), "custom_config": custom_config(config)}
    Executor(context).Do({}, {"examples": [examples]}, properties)
    found = {
        split: sorted(records.of_folder(out / "examples" / f"Split-{split}"))
        for split in snapshot.SPLITS
    }
    return examples, found


def test_more_than_a_shard_is_written_in_shards_with_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_world(tmp_path / "data")
    whole, expected = written(tmp_path / "data", tmp_path / "whole")
    monkeypatch.setattr(sharded, "PAIRS_A_SHARD", 200)
    parts, found = written(tmp_path / "data", tmp_path / "parts")
    assert list((tmp_path / "parts" / "examples" / "Split-train").glob("*-of-00004*"))
    assert found == expected
    assert rows.recorded(parts) == rows.recorded(whole)
    assert rows.recorded(parts) == {name: len(of) for name, of in found.items()}


def test_tables_that_lie_elsewhere_are_copied_to_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TFX's temporary folder is under its root, which may lie elsewhere, too."""
    write_world(tmp_path / "data")
    _, expected = written(tmp_path / "data", tmp_path / "local")
    monkeypatch.setattr(addresses, "is_local", lambda _: False)
    _, found = written(tmp_path / "data", tmp_path / "elsewhere")
    assert found == expected
    left = {file.stem for file in (tmp_path / "elsewhere" / "tmp").rglob("*")}
    assert not left & {"users", "videos", "interactions"}
