"""The public MovieLens files become the three tables of the declaration."""

from __future__ import annotations

from pathlib import Path

import pytest

from uvcan_tf import features as names
from uvcan_tf.data.sources.movielens import convert
from uvcan_tf.data.summary import Summary
from uvcan_tf.data.tables import Tables, read_tables
from uvcan_tf.errors import DataError

FLAGS = "|".join("0" * 19)
COMEDY = FLAGS[:10] + "1" + FLAGS[11:]
CHILDREN_AND_COMEDY = COMEDY[:8] + "1" + COMEDY[9:]
SMALL = {
    "u.data": "1\t3\t5\t881250949\n2\t3\t3\t881250950\n2\t1\t4\t881250951\n",
    "u.user": "1|24|M|technician|85711\n2|56|F|other|94043\n",
    "u.item": (
        f"1|Toy Story (1995)|01-Jan-1995||link|{CHILDREN_AND_COMEDY}\n"
        f"2|Nobody's (1996)|01-Jan-1996||link|{COMEDY}\n"
        f"3|Misérables, Les|||link|{FLAGS}\n"
    ),
}
LARGE = {
    "ratings.dat": "1::3::5::978300760\n2::3::3::978300761\n2::1::4::978300762\n",
    "users.dat": "1::M::18::10::48067\n2::F::56::16::70072\n",
    "movies.dat": (
        "1::Mission: Impossible (1995)::Children's|Comedy\n"
        "2::Nobody's (1996)::Comedy\n"
        "3::Misérables, Les::\n"
    ),
}


def written(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="latin-1")
    return folder


def converted(tmp_path: Path, files: dict[str, str], min_rating: int = 1) -> Tables:
    convert(written(tmp_path / "raw", files), tmp_path / "out", min_rating)
    assert names.of_folder(tmp_path / "out") == names.MOVIELENS
    return read_tables(tmp_path / "out", names.MOVIELENS)


@pytest.mark.parametrize(
    ("files", "occupations"),
    [(SMALL, ["technician", "other"]), (LARGE, ["10", "16"])],
    ids=["100K", "1M"],
)
def test_both_sets_become_the_same_form(
    tmp_path: Path, files: dict[str, str], occupations: list[str]
) -> None:
    tables = converted(tmp_path, files)
    assert tables.users.to_pydict() == {
        "user_id": ["1", "2"],
        "gender": ["M", "F"],
        "age": ["18-24", "56+"],
        "occupation": occupations,
    }
    assert tables.videos.to_pydict() == {
        "video_id": ["1", "3"],
        "genres": [["Children's", "Comedy"], None],
        "release_year": ["1995", None],
    }


@pytest.mark.parametrize("files", [SMALL, LARGE], ids=["100K", "1M"])
def test_every_rating_is_a_like_with_its_time(
    tmp_path: Path, files: dict[str, str]
) -> None:
    interactions = converted(tmp_path, files).interactions
    assert interactions["label"].to_pylist() == [1, 1, 1]
    assert interactions["video_id"].to_pylist() == ["3", "3", "1"]
    times = interactions["timestamp"].to_pylist()
    assert [time - times[0] for time in times] == [0, 1000, 2000]


def test_ratings_below_the_least_are_shown_and_not_liked(tmp_path: Path) -> None:
    raw = written(tmp_path / "raw", LARGE)
    summary = convert(raw, tmp_path / "out", min_rating=4)
    assert summary == Summary(users=2, videos=2, likes=2, skipped=1)


def test_a_folder_without_ratings_names_both_sets(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"ratings.dat \(1M, 10M\), u.data \(100K\) or ratings"
    ):
        convert(tmp_path, tmp_path / "out")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    raw = written(tmp_path / "raw", {"u.data": SMALL["u.data"]})
    with pytest.raises(DataError, match="should hold u.user"):
        convert(raw, tmp_path / "out")


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    raw = written(tmp_path / "raw", LARGE | {"users.dat": "1::M::18::10::4\n2::F\n"})
    with pytest.raises(DataError, match="users.dat is not a MovieLens file.*line 2"):
        convert(raw, tmp_path / "out")


def test_a_least_rating_that_nobody_gave_is_refused(tmp_path: Path) -> None:
    raw = written(tmp_path / "raw", SMALL)
    with pytest.raises(DataError, match="is at least 6"):
        convert(raw, tmp_path / "out", min_rating=6)


HALF_STARS = {
    "ratings.dat": "1::3::3.5::978300760\n2::3::3::978300761\n2::1::0.5::978300762\n",
    "movies.dat": LARGE["movies.dat"],
}
LATEST = {
    "ratings.csv": (
        "userId,movieId,rating,timestamp\n"
        "1,3,3.5,978300760\n2,3,3.0,978300761\n2,1,0.5,978300762\n"
    ),
    "movies.csv": (
        "movieId,title,genres\n"
        '1,"Mission: Impossible (1995) ",Children\'s|Comedy\n'
        '3,"Misérables, Les",(no genres listed)\n'
    ),
}


@pytest.mark.parametrize("files", [HALF_STARS, LATEST], ids=["10M", "latest"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_sets_with_half_stars_tell_nothing_of_users(
    tmp_path: Path, files: dict[str, str], encoding: str
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    for name, text in files.items():
        (raw / name).write_text(text, encoding=encoding)
    convert(raw, tmp_path / "out", 3.5)
    features = names.of_folder(tmp_path / "out")
    assert (features.user, features.video) == ((), names.MOVIELENS.video)
    tables = read_tables(tmp_path / "out", features)
    assert tables.users.to_pydict() == {"user_id": ["1", "2"]}
    assert tables.interactions["label"].to_pylist() == [1, 0, 0]
    assert tables.videos.to_pydict() == {
        "video_id": ["1", "3"],
        "genres": [["Children's", "Comedy"], None],
        "release_year": ["1995", None],
    }


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("u.data", "user\tfilm\trating\ttime\n1\t3\t5\t8\n", "'rating' in row 1"),
        ("u.user", "1|young|M|other|8\n2|3|F|other|9\n", "numbers. Received: 'young'"),
    ],
)
def test_text_where_a_number_is_meant_is_named(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    raw = written(tmp_path / "raw", SMALL | {name: text})
    with pytest.raises(DataError, match=sentence):
        convert(raw, tmp_path / "out")
