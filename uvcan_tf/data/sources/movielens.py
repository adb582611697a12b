"""MovieLens, public sets of film ratings in many sizes, as the three tables.

F. M. Harper and J. A. Konstan, "The MovieLens Datasets: History and Context", 2015.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from uvcan_tf.data import columns
from uvcan_tf.data.files import read_columns
from uvcan_tf.data.summary import Summary, summarise
from uvcan_tf.data.tables import Tables, check, write_tables
from uvcan_tf.data.text import numbers
from uvcan_tf.data.times import timestamp
from uvcan_tf.errors import DataError
from uvcan_tf.features import LABEL, MOVIELENS, TIMESTAMP, USER_ID, VIDEO_ID

__all__ = ["convert"]

_GENDER, _AGE, _OCCUPATION = (feature.name for feature in MOVIELENS.user)
_GENRES, _RELEASE_YEAR = (feature.name for feature in MOVIELENS.video)
_RATING: Final = "rating"
_TITLE: Final = "title"
_REST: Final = "rest"
_NO_GENRES: Final = "(no genres listed)"

#: Users where anything is told of them, videos, ratings.
_Raw = tuple[pa.Table | None, pa.Table, pa.Table]

# ML-100K gives years of age; ML-1M gives the lower edge of these ranges.
_AGE_EDGES: Final = (18, 25, 35, 45, 50, 56)
_AGES: Final = ("0-17", "18-24", "25-34", "35-44", "45-49", "50-55", "56+")

# The flags of ML-100K's u.item, in their order.
_FLAGS: Final = (
    "unknown|Action|Adventure|Animation|Children's|Comedy|Crime|Documentary|Drama|"
    "Fantasy|Film-Noir|Horror|Musical|Mystery|Romance|Sci-Fi|Thriller|War|Western"
).split("|")


def convert(raw: Path, out: Path, min_rating: float = 0.5) -> Summary:
    """Turns the public files into tables with a declaration of their features.

    By default every rating is a like, as in the papers on neural collaborative
    filtering; with a higher `min_rating` the lower ratings become label 0, skipped
    impressions. Films that nobody rated are left out, so ML-1M has 3,706. Only 100K and
    1M tell anything of users; the others' declaration has no user features.

    Args:
      raw: folder with the files of ML-100K (u.data), of ML-1M or 10M (ratings.dat), or
        of ML-20M and later, latest and latest-small (ratings.csv).
      out: folder for the tables.
      min_rating: the lowest rating, 0.5 to 5, that is a like.

    Raises:
      DataError: files are missing or damaged, or no rating is high enough.
    """
    raw = Path(raw)
    users, videos, ratings = _layout(raw)(raw)
    scores = numbers(f"The ratings' column '{_RATING}'", ratings[_RATING])
    liked = pc.fill_null(pc.greater_equal(scores, float(min_rating)), False)
    if not pc.any(liked).as_py():
        raise DataError(f"No rating in {raw} is at least {min_rating:g}.")
    rated = pc.is_in(videos[VIDEO_ID], value_set=pc.unique(ratings[VIDEO_ID]))
    interactions = {name: ratings[name] for name in (USER_ID, VIDEO_ID)}
    interactions[LABEL] = liked.cast(pa.int8())
    interactions[TIMESTAMP] = timestamp(TIMESTAMP, ratings[TIMESTAMP])
    features = MOVIELENS
    if users is None:
        users = pa.table({USER_ID: pc.unique(ratings[USER_ID])})
        features = dataclasses.replace(MOVIELENS, user=(), slices=())
    tables = Tables(users, videos.filter(rated), pa.table(interactions))
    check(tables)
    write_tables(out, tables, features)
    return summarise(tables)


def _layout(raw: Path) -> Callable[[Path], _Raw]:
    """The reader of the files that are there."""
    layouts = {
        "ratings.dat": _million,
        "u.data": _hundred_thousand,
        "ratings.csv": _latest,
    }
    found = [layout for name, layout in layouts.items() if (raw / name).is_file()]
    if not found:
        raise DataError(
            f"{raw} should hold MovieLens' ratings.dat (1M, 10M), u.data (100K) or "
            "ratings.csv (20M and later, latest). Received: none of them."
        )
    return found[0]


def _hundred_thousand(raw: Path) -> _Raw:
    ratings = _read(raw / "u.data", "\t", [USER_ID, VIDEO_ID, _RATING, TIMESTAMP])
    people = [USER_ID, _AGE, _GENDER, _OCCUPATION, _REST]
    users = _users(_read(raw / "u.user", "|", people))
    films = [VIDEO_ID, _TITLE, "date", "video date", "link", *_FLAGS]
    films = _read(raw / "u.item", "|", films)
    flags = np.stack([films[flag].to_numpy() == "1" for flag in _FLAGS[1:]], axis=1)
    genres = np.array(_FLAGS[1:], object)
    lists = pa.array([list(genres[row]) or None for row in flags])
    return users, _videos(films, lists, films["date"], r"-(?P<year>\d{4})$"), ratings


def _million(raw: Path) -> _Raw:
    """ML-1M, or ML-10M, which has half stars and no table of users."""
    ratings = _read(raw / "ratings.dat", "::", [USER_ID, VIDEO_ID, _RATING, TIMESTAMP])
    people = [USER_ID, _GENDER, _AGE, _OCCUPATION, _REST]
    path = raw / "users.dat"
    users = _users(_read(path, "::", people)) if path.is_file() else None
    films = _read(raw / "movies.dat", "::", [VIDEO_ID, _TITLE, _GENRES])
    return users, _titled(films), ratings


def _latest(raw: Path) -> _Raw:
    """The CSV files of ML-20M and later."""
    own = {"userId": USER_ID, "movieId": VIDEO_ID}
    path = raw / "movies.csv"
    if not path.is_file():
        raise DataError(f"{raw} should hold movies.csv. Received: no file.")
    tables = [
        read_columns(raw / "ratings.csv", [*own, _RATING, TIMESTAMP], []),
        read_columns(path, ["movieId", _TITLE, _GENRES], []),
    ]
    ratings, films = (
        table.rename_columns([own.get(name, name) for name in table.column_names])
        for table in tables
    )
    return None, _titled(films), ratings


def _titled(films: pa.Table) -> pa.Table:
    """The videos of films whose titles end in the year."""
    none = pc.equal(films[_GENRES], _NO_GENRES)
    text = pc.if_else(none, pa.scalar(None, pa.string()), films[_GENRES])
    lists = columns.multivalued(_GENRES, text)
    return _videos(films, lists, films[_TITLE], r"\((?P<year>\d{4})\)\s*$")


def _users(raw: pa.Table) -> pa.Table:
    known = numbers(f"The users' column '{_AGE}'", raw[_AGE])
    years = pc.fill_null(known, 0).to_numpy()
    ages = np.array(_AGES, object)[np.digitize(years, _AGE_EDGES)]
    missing = pc.is_null(known).to_numpy(zero_copy_only=False)
    return pa.table(
        {
            USER_ID: raw[USER_ID],
            _GENDER: raw[_GENDER],
            _AGE: pa.array(ages, pa.string(), mask=missing),
            _OCCUPATION: raw[_OCCUPATION],
        }
    )


def _videos(
    films: pa.Table, genres: pa.Array, dated: pa.ChunkedArray, pattern: str
) -> pa.Table:
    year = pc.struct_field(pc.extract_regex(dated, pattern).combine_chunks(), [0])
    return pa.table({VIDEO_ID: films[VIDEO_ID], _GENRES: genres, _RELEASE_YEAR: year})


def _read(path: Path, separator: str, names: Sequence[str]) -> pa.Table:
    """Reads a file without a header, in UTF-8 or Latin-1, as columns of strings."""
    if not path.is_file():
        raise DataError(f"{path.parent} should hold {path.name}. Received: no file.")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    text = text.replace(separator, "\t")
    try:
        return pyarrow.csv.read_csv(
            pa.py_buffer(text.encode()),
            read_options=pyarrow.csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        reason = str(error).replace("Row #", "line ").splitlines()[0]
        raise DataError(f"{path.name} is not a MovieLens file: {reason}.") from None
