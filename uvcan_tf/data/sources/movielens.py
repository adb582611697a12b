"""MovieLens 100K and 1M, public sets of film ratings, as the three tables.

F. M. Harper and J. A. Konstan, "The MovieLens Datasets: History and Context", 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from uvcan_tf.data import columns
from uvcan_tf.data.summary import Summary, summarise
from uvcan_tf.data.tables import Tables, check, write_tables
from uvcan_tf.data.times import timestamp
from uvcan_tf.errors import DataError
from uvcan_tf.features import LABEL, MOVIELENS, TIMESTAMP, USER_ID, VIDEO_ID

__all__ = ["convert"]

_GENDER, _AGE, _OCCUPATION = (feature.name for feature in MOVIELENS.user)
_GENRES, _RELEASE_YEAR = (feature.name for feature in MOVIELENS.video)
_RATING: Final = "rating"
_TITLE: Final = "title"
_REST: Final = "rest"

# ML-100K gives years of age; ML-1M gives the lower edge of these ranges.
_AGE_EDGES: Final = (18, 25, 35, 45, 50, 56)
_AGES: Final = ("0-17", "18-24", "25-34", "35-44", "45-49", "50-55", "56+")

# The flags of ML-100K's u.item, in their order.
_FLAGS: Final = (
    "unknown|Action|Adventure|Animation|Children's|Comedy|Crime|Documentary|Drama|"
    "Fantasy|Film-Noir|Horror|Musical|Mystery|Romance|Sci-Fi|Thriller|War|Western"
).split("|")


def convert(raw: Path, out: Path, min_rating: int = 1) -> Summary:
    """Turns the public files into tables with the declaration `features.MOVIELENS`.

    By default every rating is a like, as in the papers on neural collaborative
    filtering; with a higher `min_rating` the lower ratings become label 0, shown and
    not liked. Films that nobody rated are left out, so ML-1M has 3,706.

    Args:
      raw: folder with ML-100K's u.data, u.user and u.item, or ML-1M's ratings.dat,
        users.dat and movies.dat.
      out: folder for the tables.
      min_rating: the lowest rating, 1 to 5, that is a like.

    Raises:
      DataError: files are missing or damaged, or no rating is high enough.
    """
    raw = Path(raw)
    if (raw / "ratings.dat").is_file():
        users, videos, ratings = _one_million(raw)
    elif (raw / "u.data").is_file():
        users, videos, ratings = _hundred_thousand(raw)
    else:
        raise DataError(
            f"{raw} should hold MovieLens' ratings.dat (1M) or u.data (100K). "
            "Received: neither."
        )
    liked = pc.greater_equal(ratings[_RATING].cast(pa.int64()), min_rating)
    if not pc.any(liked).as_py():
        raise DataError(f"No rating in {raw} is at least {min_rating}.")
    rated = pc.is_in(videos[VIDEO_ID], value_set=pc.unique(ratings[VIDEO_ID]))
    interactions = {name: ratings[name] for name in (USER_ID, VIDEO_ID)}
    interactions[LABEL] = liked.cast(pa.int8())
    interactions[TIMESTAMP] = timestamp(TIMESTAMP, ratings[TIMESTAMP])
    tables = Tables(users, videos.filter(rated), pa.table(interactions))
    check(tables)
    write_tables(out, tables, MOVIELENS)
    return summarise(tables)


def _hundred_thousand(raw: Path) -> tuple[pa.Table, pa.Table, pa.Table]:
    ratings = _read(raw / "u.data", "\t", [USER_ID, VIDEO_ID, _RATING, TIMESTAMP])
    people = [USER_ID, _AGE, _GENDER, _OCCUPATION, _REST]
    users = _users(_read(raw / "u.user", "|", people))
    films = [VIDEO_ID, _TITLE, "date", "video date", "link", *_FLAGS]
    films = _read(raw / "u.item", "|", films)
    flags = np.stack([films[flag].to_numpy() == "1" for flag in _FLAGS[1:]], axis=1)
    genres = np.array(_FLAGS[1:], object)
    lists = pa.array([list(genres[row]) or None for row in flags])
    return users, _videos(films, lists, films["date"], r"-(?P<year>\d{4})$"), ratings


def _one_million(raw: Path) -> tuple[pa.Table, pa.Table, pa.Table]:
    ratings = _read(raw / "ratings.dat", "::", [USER_ID, VIDEO_ID, _RATING, TIMESTAMP])
    people = [USER_ID, _GENDER, _AGE, _OCCUPATION, _REST]
    users = _users(_read(raw / "users.dat", "::", people))
    films = _read(raw / "movies.dat", "::", [VIDEO_ID, _TITLE, _GENRES])
    lists = columns.multivalued(_GENRES, films[_GENRES])
    return users, _videos(films, lists, films[_TITLE], r"\((?P<year>\d{4})\)$"), ratings


def _users(raw: pa.Table) -> pa.Table:
    years = raw[_AGE].cast(pa.int64()).to_numpy()
    ages = np.array(_AGES, object)[np.digitize(years, _AGE_EDGES)]
    return pa.table(
        {
            USER_ID: raw[USER_ID],
            _GENDER: raw[_GENDER],
            _AGE: pa.array(ages, pa.string()),
            _OCCUPATION: raw[_OCCUPATION],
        }
    )


def _videos(
    films: pa.Table, genres: pa.Array, dated: pa.ChunkedArray, pattern: str
) -> pa.Table:
    year = pc.struct_field(pc.extract_regex(dated, pattern).combine_chunks(), [0])
    return pa.table({VIDEO_ID: films[VIDEO_ID], _GENRES: genres, _RELEASE_YEAR: year})


def _read(path: Path, separator: str, names: Sequence[str]) -> pa.Table:
    """Reads a file without a header in Latin-1 as columns of strings."""
    if not path.is_file():
        raise DataError(f"{path.parent} should hold {path.name}. Received: no file.")
    text = path.read_text(encoding="latin-1").replace(separator, "\t")
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
