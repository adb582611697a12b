"""The written world is whole, repeatable and worth learning."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from uvcan_tf import features as names
from uvcan_tf.data.sources.synthetic import PRESETS, Report, generate
from uvcan_tf.data.tables import Tables, read_tables
from uvcan_tf.errors import DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world") / "tiny"


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return generate("tiny", folder, seed=1)


@pytest.fixture(scope="module")
def tables(folder: Path, report: Report) -> Tables:
    return read_tables(folder, names.of_folder(folder))


@pytest.mark.parametrize(
    ("preset", "users", "videos", "likes"),
    [("toffee_a", 780, 73_015, 233_144), ("toffee_b", 3_231, 50_574, 336_460)],
)
def test_the_presets_have_the_sizes_of_the_paper(
    preset: str, users: int, videos: int, likes: int
) -> None:
    size = PRESETS[preset]
    assert (size.users, size.videos, size.likes) == (users, videos, likes)
    assert size.visual_length == 1024


def test_the_tables_have_the_sizes_of_the_preset(tables: Tables) -> None:
    sides = tables.users, tables.videos, tables.interactions
    assert [side.num_rows for side in sides] == [200, 400, 6_000]
    assert set(tables.interactions["label"].to_pylist()) == {1}


def test_the_declaration_is_the_papers_but_for_the_length(tables: Tables) -> None:
    expected = ["video_id", "author_id", "music_id", "tags", "visual"]
    assert tables.videos.column_names == expected
    assert tables.videos.schema.field("visual").type.list_size == 16


def test_some_attributes_and_facets_are_missing(tables: Tables) -> None:
    for name in ("gender", "location"):
        assert 0 < tables.users[name].null_count < 20
    for name in ("music_id", "tags", "visual"):
        assert 0 < tables.videos[name].null_count < 40


def test_the_look_has_unit_variance_and_clusters(tables: Tables) -> None:
    looks = np.array([v for v in tables.videos["visual"].to_pylist() if v])
    assert abs(looks.var() - 1) < 0.2
    distance = np.linalg.norm(looks[:, None] - looks, axis=2)
    np.fill_diagonal(distance, np.inf)
    assert distance.min(1).max() < np.median(distance)


def test_the_planted_attention_stands_beside_the_tables(
    folder: Path, tables: Tables
) -> None:
    with (folder / "planted_attention.csv").open() as file:
        rows = list(csv.DictReader(file))
    kinds = names.of_folder(folder).video_facets[1:]
    assert set(rows[0]) == {names.USER_ID, *kinds}
    assert [row[names.USER_ID] for row in rows] == tables.users[0].to_pylist()
    sums = [sum(float(row[kind]) for kind in kinds) for row in rows]
    np.testing.assert_allclose(sums, 1, rtol=1e-5)


def test_tastes_tell_far_more_than_popularity(report: Report) -> None:
    assert report.oracle_hr_at_10 > 0.5
    assert report.popularity_hr_at_10 < 0.2


def test_the_report_is_written(folder: Path, report: Report) -> None:
    content = json.loads((folder / "world.json").read_text())
    assert content["oracle_hr_at_10"] == report.oracle_hr_at_10
    assert (content["preset"], content["seed"]) == ("tiny", 1)


def test_the_same_seed_writes_the_same_bytes(
    folder: Path, report: Report, tmp_path: Path
) -> None:
    generate("tiny", tmp_path / "again", seed=1)
    generate("tiny", tmp_path / "other", seed=2)
    for path in folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
    first, other = (f / "interactions.parquet" for f in (folder, tmp_path / "other"))
    assert first.read_bytes() != other.read_bytes()


def test_an_unknown_preset_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="one of tiny, small, toffee_a, toffee_b. .*'huge'"
    ):
        generate("huge", tmp_path, seed=1)
