"""Tables split in shards by Beam are the tables split whole, row for row."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from tests.tfx_pipeline import records
from tfx_pipeline import addresses, sharded, shards, snapshot
from tfx_pipeline.batches import by_shard
from tfx_pipeline.config import LOCAL_BEAM
from tfx_pipeline.rows import RowCountError
from tfx_pipeline.shards import TABLES, Job
from uvcan_tf import features as names
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.tables import read_tables
from uvcan_tf.errors import DataError
from uvcan_tf.features import Categorical, Dense, Features

FEATURES = Features(
    user=(Categorical("gender"), Categorical("clubs", True)),
    video=(Categorical("author"), Categorical("tags", True), Dense("look", 3)),
    popularity_of="tags",
)
USERS, VIDEOS = 60, 40
PARTS = 4


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each table in part files, users and interactions in no order."""
    random = np.random.default_rng(7)
    user = random.permutation(USERS)
    pairs = [(u, v) for u in user for v in range(VIDEOS) if random.random() < 0.4]
    pairs = [pairs[i] for i in random.permutation(len(pairs))]
    tags = [[f"t{v % 3}", f"t{v}"] if v % 5 else None for v in range(VIDEOS)]
    looks = [[v / 2, 1.0, 2.0] if v % 4 else None for v in range(VIDEOS)]
    tables = {
        names.USERS: pa.table(
            {
                names.USER_ID: [f"u{u}" for u in user],
                "gender": [None, "f", "m"] * (USERS // 3),
                "clubs": pa.array([[], ["a", "b"]] * (USERS // 2)),
            }
        ),
        names.VIDEOS: pa.table(
            {
                names.VIDEO_ID: [f"v{v}" for v in range(VIDEOS)],
                "author": [None, *(f"a{v % 3}" for v in range(VIDEOS - 1))],
                "tags": pa.array(tags, pa.list_(pa.string())),
                "look": pa.array(looks, pa.list_(pa.float32())),
            }
        ),
        names.INTERACTIONS: pa.table(
            {
                names.USER_ID: [f"u{u}" for u, _ in pairs],
                names.VIDEO_ID: [f"v{v}" for _, v in pairs],
                names.LABEL: np.minimum(1, random.integers(0, 3, len(pairs))),
                names.TIMESTAMP: 1_649_505_600_000
                + random.integers(0, 90, len(pairs)) * 1_800_000,
            }
        ),
    }
    folder = tmp_path_factory.mktemp("tables")
    for name, table in tables.items():
        (folder / name).mkdir()
        for number, rows in enumerate(np.array_split(np.arange(len(table)), PARTS)):
            part = table.slice(int(rows[0]), len(rows))
            pq.write_table(part, folder / name / f"part-{number}.parquet")
    return folder


@pytest.fixture
def folder(source: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    for path in source.rglob("*.parquet"):
        copy = tmp_path / "tables" / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return tmp_path / "tables"


def split_by_beam(
    folder: Path,
    out: Path,
    evaluation: EvaluationConfig,
    pairs: int,
    told: bool = True,
    listed: Path | None = None,
) -> dict[str, list[str]]:
    """What `write` writes: the rows of each split, in the order of the files."""
    places = {split: str(out / split) for split in snapshot.SPLITS}
    for place in (*places.values(), str(out / "scratch")):
        Path(place).mkdir(parents=True)
    job = Job(str(folder), str(out / "scratch"), places, FEATURES, evaluation, told)
    files = sharded.files_of(listed or folder, "")
    make = functools.partial(beam.Pipeline, argv=list(LOCAL_BEAM))
    counts = sharded.write(job, listed or folder, files, make, pairs)
    rows = {
        split: list(records.of_folder(Path(place))) for split, place in places.items()
    }
    assert {split: len(of_split) for split, of_split in rows.items()} == counts
    return rows


def pairs_of(folder: Path) -> int:
    parts = (folder / names.INTERACTIONS).iterdir()
    return sum(pq.read_metadata(part).num_rows for part in parts)


def split_whole(
    folder: Path, evaluation: EvaluationConfig, told: bool = True
) -> dict[str, list[str]]:
    tables = read_tables(folder, FEATURES)
    found = snapshot.splits(tables, FEATURES, evaluation, told)
    encoder = RecordBatchToExamplesEncoder()
    return {
        name: [
            records.content(record)
            for batch in snapshot.shards(table)
            for record in encoder.encode(batch)
        ]
        for name, table in found.items()
    }


CASES: list[tuple[dict[str, Any], int, bool]] = [
    ({"split": "random"}, 1, True),
    ({"split": "random", "held_out_fraction": 0.4}, 7, False),
    ({"split": "time"}, 3, True),
    ({"split": "time", "split_at": 1_649_505_600_000 + 108_000_000}, 7, True),
    ({"split": "last", "last_likes": 2}, 1, True),
    ({"split": "last"}, 3, False),
]


@pytest.mark.parametrize(("settings", "count", "told"), CASES)
def test_shards_hold_the_same_rows_as_the_whole(
    source: Path, tmp_path: Path, settings: dict[str, Any], count: int, told: bool
) -> None:
    evaluation = EvaluationConfig(**settings)
    expected = split_whole(source, evaluation, told)
    every = pairs_of(source)
    found = split_by_beam(source, tmp_path, evaluation, -(-every // count), told)
    assert len(list((tmp_path / "scratch").glob("rows-*"))) == count
    for split in snapshot.SPLITS:
        assert sorted(found[split]) == sorted(expected[split]), split
        if count == 1 or split in (names.USERS, names.VIDEOS):
            assert found[split] == expected[split], split


def test_a_pair_of_several_days_is_one_pair_of_its_shard(
    folder: Path, tmp_path: Path
) -> None:
    for number in range(PARTS):
        part = folder / "interactions" / f"part-{number}.parquet"
        again = pq.read_table(part).slice(number, 30)
        for day, rows in ((number, pq.read_table(part)), (number + 1, again)):
            home = folder / "interactions" / f"span-{day}"
            home.mkdir(exist_ok=True)
            pq.write_table(rows, home / f"{number}.parquet")
        part.unlink()
    evaluation = EvaluationConfig(split="last", last_likes=2)
    expected = split_whole(folder, evaluation)
    found = split_by_beam(folder, tmp_path / "out", evaluation, 250)
    for split in snapshot.SPLITS:
        assert sorted(found[split]) == sorted(expected[split]), split


def test_tables_elsewhere_are_read_file_by_file(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No worker has more than the files that it asked for."""
    evaluation = EvaluationConfig(split="last")
    expected = split_whole(source, evaluation)
    monkeypatch.setattr(addresses, "is_local", lambda _: False)
    listed = addresses.listed(str(source), str(tmp_path))
    found = split_by_beam(source, tmp_path / "out", evaluation, 400, listed=listed)
    for split in snapshot.SPLITS:
        assert sorted(found[split]) == sorted(expected[split]), split


def test_shards_are_needed_where_there_are_more_pairs_or_bytes_than_one_holds(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sharded.files_of(source, "")
    assert not sharded.needed(source, files)
    monkeypatch.setattr(sharded, "PAIRS_A_SHARD", pairs_of(source))
    assert not sharded.needed(source, files)
    monkeypatch.setattr(sharded, "PAIRS_A_SHARD", pairs_of(source) - 1)
    assert sharded.needed(source, files)
    monkeypatch.undo()
    np.save(tmp_path / "look.npy", np.zeros([VIDEOS, 3], np.float32))
    monkeypatch.setattr(sharded, "_BYTES", 100)
    assert sharded.needed(tmp_path, dict.fromkeys(TABLES, []))


def test_the_pairs_of_a_file_that_cannot_be_counted_are_estimated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is only listed has its length and no content."""
    part = tmp_path / "part-0.parquet"
    part.write_bytes(bytes(8_001))
    files: dict[str, list[Path]] = {**dict.fromkeys(TABLES, []), "interactions": [part]}
    monkeypatch.setattr(sharded, "PAIRS_A_SHARD", 1_000)
    assert not sharded.needed(tmp_path, files)
    monkeypatch.setattr(sharded, "PAIRS_A_SHARD", 999)
    assert sharded.needed(tmp_path, files)


def test_rows_lost_on_the_way_to_their_shards_are_noticed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_one(rows: pa.Table, count: int) -> Iterator[tuple[int, pa.Table]]:
        if rows.column_names[1] == names.VIDEO_ID:
            rows = rows.slice(1)
        return by_shard(rows, count)

    monkeypatch.setattr(shards, "by_shard", without_one)
    rows = sum(
        pq.read_metadata(p).num_rows for p in (source / "interactions").iterdir()
    )
    with pytest.raises(
        RowCountError,
        match=f"'interactions' should have {rows:,} rows. Received: {rows - PARTS:,}",
    ):
        split_by_beam(source, tmp_path, EvaluationConfig(), 200)


def appended(folder: Path, table: str, rows: pa.Table) -> None:
    """Rows more in the last part, as text the canonical types take."""
    path = folder / table / f"part-{PARTS - 1}.parquet"
    old = pq.read_table(path)
    missing = [n for n in old.column_names if n not in rows.column_names]
    for name in missing:
        rows = rows.append_column(
            name, pa.nulls(len(rows), old.schema.field(name).type)
        )
    pq.write_table(pa.concat_tables([old, rows.select(old.column_names)]), path)


def first_pairs(folder: Path, rows: int) -> pa.Table:
    return pq.read_table(folder / "interactions" / "part-0.parquet").slice(0, rows)


def spoiled(folder: Path, what: str) -> None:
    pair = first_pairs(folder, 1)
    ids = {
        "unknown users": (names.USER_ID, ["nobody", "no one", "nobody"]),
        "unknown videos": (names.VIDEO_ID, ["none", "nothing", "none"]),
    }
    if what in ids:
        column, values = ids[what]
        rows = pa.concat_tables([pair] * len(values))
        place = rows.column_names.index(column)
        rows = rows.set_column(place, column, pa.array(values))
        appended(folder, "interactions", rows)
    elif what == "a pair twice":
        appended(folder, "interactions", first_pairs(folder, 7))
    elif what == "a user twice":
        appended(folder, "users", pa.table({"user_id": ["u3", "u1", "u2"]}))
    elif what == "a video twice":
        appended(folder, "videos", pa.table({"video_id": ["v3", "v1"]}))
    elif what == "no time":
        appended(folder, "interactions", pair.slice(0, 0))
        rows = pair.select(["user_id", "video_id", "label"])
        rows = rows.set_column(1, "video_id", pa.array(["v0"]))
        part = folder / "interactions" / "part-2.parquet"
        table = pq.read_table(part)
        spoilt = pa.nulls(len(table), pa.int64())
        pq.write_table(table.set_column(3, "timestamp", spoilt), part)
    elif what == "a label":
        part = folder / "interactions" / "part-2.parquet"
        table = pq.read_table(part)
        labels = pa.array([1] * (len(table) - 1) + [2])
        pq.write_table(table.set_column(2, "label", labels), part)
    elif what == "a type":
        part = folder / "interactions" / "part-3.parquet"
        table = pq.read_table(part)
        labels = pa.array(["yes"] * len(table))
        pq.write_table(table.set_column(2, "label", labels), part)
    else:
        (folder / "interactions" / "part-1.parquet").write_bytes(b"PAR1 and no more")


SPOILED = ("unknown users", "unknown videos", "a pair twice", "a user twice")
SPOILED += ("a video twice", "no time")


@pytest.mark.parametrize("what", SPOILED)
def test_what_cannot_be_used_ends_in_the_sentence_of_the_whole(
    folder: Path, tmp_path: Path, what: str
) -> None:
    spoiled(folder, what)
    evaluation = EvaluationConfig(split="last" if what == "no time" else "random")
    with pytest.raises(DataError) as expected:
        split_whole(folder, evaluation)
    with pytest.raises(DataError) as found:
        split_by_beam(folder, tmp_path / "out", evaluation, 200)
    assert str(found.value) == str(expected.value)
    assert not list((tmp_path / "out" / names.TRAIN).iterdir())


def test_a_split_that_holds_nothing_out_is_refused(
    source: Path, tmp_path: Path
) -> None:
    evaluation = EvaluationConfig(held_out_fraction=0.001)
    with pytest.raises(DataError, match="none of 60 users"):
        split_by_beam(source, tmp_path, evaluation, 200)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("a part", "^part-1.parquet is not a readable Parquet file"),
        ("a type", "of the same types .* 'label' is string in part-3.parquet"),
        ("a label", "^part-2.parquet, column 'label' should be 0 or 1. Received: '2'"),
    ],
)
def test_a_bad_part_is_named(
    folder: Path, tmp_path: Path, what: str, sentence: str
) -> None:
    spoiled(folder, what)
    with pytest.raises(DataError, match=sentence):
        split_by_beam(folder, tmp_path / "out", EvaluationConfig(), 200)
