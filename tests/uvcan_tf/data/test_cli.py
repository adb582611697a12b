"""The commands write tables, and say in one sentence why they cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.uvcan_tf.data.sources.test_kuairand import LOG, USERS, VIDEOS
from tests.uvcan_tf.data.sources.test_movielens import LARGE, written
from uvcan_tf import features as names
from uvcan_tf.data.cli import data
from uvcan_tf.data.tables import read_tables
from uvcan_tf.hashed_ids import hashed


def run(*arguments: object) -> Result:
    return CliRunner().invoke(data, [str(word) for word in arguments])


def numbers(result: Result) -> dict[str, str]:
    cells = (line.strip("│").split("│") for line in result.stdout.splitlines())
    return {c[0].strip(): c[1].strip() for c in cells if len(c) == 2}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    assert run("synthetic", "--preset", "tiny", "--out", tmp_path / "t").exit_code == 0
    return tmp_path / "t"


def test_synthetic_shows_what_it_wrote(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("synthetic", "--preset", "tiny", "--out", out, "--seed", 1)
    shown = numbers(result)
    assert (shown["users"], shown["likes"]) == ("200", "6,000")
    assert shown["density"] == "7.500%"
    assert (out / "planted_attention.csv").is_file()


def test_kuairand_shows_what_it_wrote(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "user_features_pure.csv").write_text(USERS)
    (raw / "video_features_basic_pure.csv").write_text(VIDEOS)
    (raw / "log_standard_train.csv").write_text(LOG)
    options = ["--raw", raw, "--positive", "is_like", "--min-interactions", 1]
    result = run("kuairand", *options, "--out", tmp_path / "out")
    shown = numbers(result)
    assert (shown["users"], shown["likes"], shown["skipped impressions"]) == (
        "2",
        "2",
        "1",
    )


def test_movielens_takes_a_least_rating(tmp_path: Path) -> None:
    raw = written(tmp_path / "raw", LARGE)
    options = ["--raw", raw, "--min-rating", 4, "--out", tmp_path / "out"]
    shown = numbers(run("movielens", *options))
    assert (shown["likes"], shown["skipped impressions"]) == ("2", "1")


def test_check_reports_sizes_and_the_hold_out_rule(tiny: Path) -> None:
    result = run("check", tiny)
    assert numbers(result)["videos"] == "400"
    assert "20% of each user's, rounded down; 0 of 200 users" in result.stdout


def test_check_says_why_tables_cannot_be_used(tiny: Path) -> None:
    (tiny / "users.parquet").unlink()
    result = run("check", tiny)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: The table 'users' is missing")
    assert result.stderr.count("\n") == 1


def test_check_looks_at_the_days_that_are_asked_for(tiny: Path) -> None:
    whole = tiny / "interactions.parquet"
    day = tiny / "interactions" / "dt=2024-02-29"
    day.mkdir(parents=True)
    whole.rename(day / "part-0.parquet")
    assert run("check", tiny, "--days", "1").exit_code == 0
    result = run("check", tiny, "--days", "2024-02-29:2024-03-01")
    assert result.exit_code == 1
    assert "without dt=2024-03-01" in result.output


def test_check_counts_every_kind_of_rows_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "features.json").write_text('{"user": [], "video": []}')
    (tmp_path / "users.csv").write_text("user_id\n1\n2\n2\n2\n")
    (tmp_path / "videos.csv").write_text("video_id\n7\n")
    pairs = "1,7\n1,7\n3,7\n3,8\n1,9\n1,8\n"
    (tmp_path / "interactions.csv").write_text("user_id,video_id\n" + pairs)
    result = run("check", tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    repeated, of_users, of_videos, pair = result.stderr.splitlines()
    assert "users should have each id once. Received: 2 repeated" in repeated
    assert "names 1 user_ids that users lacks, in 2 rows; add them, or" in of_users
    assert "names 2 video_ids that videos lacks, in 3 rows" in of_videos
    assert of_videos.endswith("`data import --drop-unknown` does. First: 8, 9.")
    assert "--merge-repeats` does. Received: 1 repeated, first: (1, 7)." in pair


def test_check_says_why_a_declaration_cannot_be_used(tiny: Path) -> None:
    (tiny / "features.json").write_text("{")
    result = run("check", tiny)
    assert result.exit_code == 1
    assert "features.json should be JSON; line 1" in result.stderr


def test_check_refuses_tables_that_hold_nothing_out(tiny: Path) -> None:
    (tiny / "interactions.parquet").unlink()
    (tiny / "interactions.csv").write_text("user_id,video_id\nu1,v1\nu2,v1\n")
    result = run("check", tiny)
    assert result.exit_code == 1
    assert "none of 2 users" in result.stderr


def test_hash_ids_replaces_user_ids_alone(tiny: Path, tmp_path: Path) -> None:
    key, out = tmp_path / "key", tmp_path / "hashed"
    key.write_text("0123456789abcdef\n")
    (tiny / "visual_pca.npz").write_bytes(b"what made the vectors")
    result = run("hash-ids", tiny, "--key", key, "--out", out)
    assert result.exit_code == 0, result.output
    assert (out / "visual_pca.npz").read_bytes() == b"what made the vectors"
    before, after = (read_tables(f, names.of_folder(f)) for f in (tiny, out))
    for kind in ("users", "videos", "interactions"):
        old, new = getattr(before, kind), getattr(after, kind)
        for column in old.column_names:
            wanted = old[column].to_pylist()
            if column == "user_id":
                wanted = [hashed(user, b"0123456789abcdef") for user in wanted]
            assert new[column].to_pylist() == wanted


def test_hash_ids_refuses_a_short_key(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short")
    out = tmp_path / "hashed"
    result = run("hash-ids", tiny, "--key", tmp_path / "key", "--out", out)
    assert result.exit_code == 1 and "at least 16 random bytes" in result.output
    assert not out.exists()


@pytest.mark.parametrize("wrong", ["folder", "declaration", "key", "out"])
def test_hash_ids_says_in_a_sentence_what_it_cannot_use(
    tiny: Path, tmp_path: Path, wrong: str
) -> None:
    key, out = tmp_path / "key", tmp_path / "out"
    key.write_text("0123456789abcdef")
    if wrong == "folder":
        tiny = tmp_path / "nothing"
    elif wrong == "declaration":
        (tiny / "features.json").write_text("{no JSON")
    elif wrong == "key":
        key = tmp_path
    else:
        out = key / "below a file"
    result = run("hash-ids", tiny, "--key", key, "--out", out)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Error: " in result.output and "Traceback" not in result.output
