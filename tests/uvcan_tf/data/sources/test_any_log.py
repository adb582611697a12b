"""Any log becomes the three tables, with a declaration guessed from its columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from uvcan_tf import features as names
from uvcan_tf.data.cli import data
from uvcan_tf.data.sources.any_log import Mapping, convert
from uvcan_tf.data.tables import read_tables
from uvcan_tf.errors import DataError
from uvcan_tf.features import Categorical, Numeric

LOG = (
    "userId;movieId;rating;when\n"
    "1;10;5.0;2022-04-09\n1;11;3.5;2022-04-10\n2;10;4.0;\n"
    "2;10;2.0;2022-04-11\n3;99;4.5;2022-04-12\n"
)
MOVIES = "movieId,title,genres,score\n10,Ä,a|b,0.5\n11,Ä,b,0.7\n12,Ö,,1.5\n"
NAMED = {"user": "userId", "video": "movieId"}
RATED = NAMED | {"rating": "rating", "positive": ">=4", "time": "when"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "ratings.csv").write_text(LOG)
    (tmp_path / "movies.csv").write_text(MOVIES)
    return tmp_path / "ratings.csv"


def rows(log: Path, **mapping: Any) -> list[tuple[Any, ...]]:
    tables, _ = convert(log, log.parent / "out", Mapping(**mapping))
    pairs = tables.interactions.select(["user_id", "video_id", "label"])
    return [tuple(row.values()) for row in pairs.to_pylist()]


def test_ratings_become_labels_and_ids_become_tables(log: Path) -> None:
    found = rows(log, **RATED, merge_repeats=True)
    assert found == [("1", "10", 1), ("1", "11", 0), ("2", "10", 1), ("3", "99", 1)]
    features = names.of_folder(log.parent / "out")
    assert (features.user, features.video) == ((), ())
    tables = read_tables(log.parent / "out", features)
    assert tables.users["user_id"].to_pylist() == ["1", "2", "3"]
    assert tables.videos["video_id"].to_pylist() == ["10", "11", "99"]
    april = 1649462400000
    assert tables.interactions["timestamp"].to_pylist()[:2] == [april, april + 86400000]


@pytest.mark.parametrize(
    ("rule", "likes"),
    [(">=4", 3), ("> 4", 2), ("<3", 1), ("5", 1), ("==3.5", 1), ("<= 3.5", 2)],
)
def test_a_rule_compares_with_a_number(log: Path, rule: str, likes: int) -> None:
    log.write_text(LOG.replace("2;10;2.0", "2;11;2.0"))
    found = rows(log, **NAMED, rating="rating", positive=rule)
    assert sum(label for *_, label in found) == likes


def test_attributes_are_declared_as_they_look(log: Path) -> None:
    videos = log.parent / "movies.csv"
    options = {**RATED, "videos": videos, "merge_repeats": True}
    with pytest.raises(DataError, match="names 1 video_ids that videos lacks.* 99"):
        rows(log, **options)
    assert ("3", "99", 1) not in rows(log, **options, drop_unknown=True)
    features = names.of_folder(log.parent / "out")
    assert features.video == (
        Categorical("title"),
        Categorical("genres", True),
        Numeric("score", "buckets", 10),
    )
    tables = read_tables(log.parent / "out", features)
    assert tables.videos["genres"].to_pylist() == [["a", "b"], ["b"], None]


def test_a_core_keeps_those_with_enough_of_each_other(log: Path) -> None:
    with pytest.raises(DataError, match="should have likes that are kept; loosen"):
        rows(log, **NAMED, merge_repeats=True, core=2)
    log.write_text(LOG + "2;11;5;\n")
    found = rows(log, **NAMED, merge_repeats=True, core=2)
    assert sorted(found) == [(u, v, 1) for u in "12" for v in ("10", "11")]
    tables = read_tables(log.parent / "out", names.of_folder(log.parent / "out"))
    assert tables.videos["video_id"].to_pylist() == ["10", "11"]


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (NAMED, "have each pair of user and video once; merge"),
        (RATED | {"positive": "good"}, "`positive` should be a comparison"),
        (RATED | {"positive": None}, "`rating` and `positive` belong together"),
        (RATED | {"positive": ">9"}, "should have likes that are kept"),
        (RATED | {"user": "person"}, "should have the column person. Received: userId"),
        (RATED | {"rating": "when"}, "column 'when' should be numbers"),
        (RATED | {"videos": Path("no.csv")}, "no.csv does not exist"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    log: Path, mapping: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence) as error:
        rows(log, **mapping)
    assert "\n" not in str(error.value)


def test_the_command_shows_the_declaration_that_it_guessed(log: Path) -> None:
    out = log.parent / "out"
    options = ["--user", "userId", "--video", "movieId", "--time", "when"]
    options += ["--rating", "rating", "--positive", ">=4", "--merge-repeats"]
    options += ["--videos", str(log.parent / "movies.csv"), "--drop-unknown"]
    result = CliRunner().invoke(data, ["import", str(log), "--out", str(out), *options])
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout.splitlines()[-1])
    assert shown == json.loads((out / "features.json").read_text())
    assert shown["video"] == [
        "title",
        {"name": "genres", "multivalued": True},
        {"name": "score", "numeric": "buckets", "count": 10},
    ]
