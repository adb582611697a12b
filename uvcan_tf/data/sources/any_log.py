"""Any table of interactions, with its columns named, as the three tables."""

from __future__ import annotations

import dataclasses
import operator
import re
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.data import columns
from uvcan_tf.data.files import columns_of, read_columns
from uvcan_tf.data.numbers import number
from uvcan_tf.data.pairs import core, merged
from uvcan_tf.data.tables import Tables, check, write_tables
from uvcan_tf.data.text import combined, is_list, numbers
from uvcan_tf.data.times import timestamp
from uvcan_tf.errors import DataError
from uvcan_tf.feature_kinds import BUCKETS
from uvcan_tf.features import (
    LABEL,
    TIMESTAMP,
    USER_ID,
    VIDEO_ID,
    Categorical,
    Feature,
    Features,
    Numeric,
)

__all__ = ["Mapping", "convert"]

_RULE: Final = re.compile(r"(>=|<=|==|>|<|=)?\s*(-?[0-9]+\.?[0-9]*)")
_COMPARED: Final = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "==": operator.eq,
}
_FEW: Final = 20  # rows among which all values may well differ
_BUCKETS: Final = 10  # of a number, unless the user edits the declaration


@dataclasses.dataclass(frozen=True)
class Mapping:
    """Which column means what, and what to do with rows that do not fit.

    Args:
      user, video: columns of ids, in the log and in the tables of either side.
      rating: column of the numbers that `positive` judges; without it, all are likes.
      positive: the rule of a like, such as ">=4".
      time: column of moments.
      users, videos: tables of attributes; made of the ids where there is none.
      drop_unknown: leave out pairs whose ids those tables lack.
      merge_repeats: a pair of several rows is a like where one of them is, at the
        latest time.
      core: the fewest likes of a kept user and of a kept video.
    """

    user: str = USER_ID
    video: str = VIDEO_ID
    rating: str | None = None
    positive: str | None = None
    time: str | None = None
    users: Path | None = None
    videos: Path | None = None
    drop_unknown: bool = False
    merge_repeats: bool = False
    core: int = 1

    def __post_init__(self) -> None:
        if (self.rating is None) != (self.positive is None):
            raise DataError(
                "`rating` and `positive` belong together: the column of ratings, and "
                "which of them are likes, such as '>=4'. Received: "
                f"rating={self.rating!r}, positive={self.positive!r}."
            )
        if self.positive is not None and not _RULE.fullmatch(self.positive.strip()):
            raise DataError(
                "`positive` should be a comparison with a number, such as '>=4'. "
                f"Received: {self.positive!r}."
            )


def convert(log: Path, out: Path, mapping: Mapping) -> tuple[Tables, Features]:
    """Writes the tables with a declaration that is guessed from the columns.

    Args:
      log: a CSV or Parquet file, or a folder of part files.
      out: folder for the tables.
      mapping: of the columns.

    Raises:
      DataError: one sentence on what cannot be used.
    """
    pairs = _pairs(Path(log), mapping)
    users, of_user = _side(mapping.users, mapping.user, USER_ID, pairs)
    videos, of_video = _side(mapping.videos, mapping.video, VIDEO_ID, pairs)
    pairs = _kept(pairs, users, videos, mapping)
    if mapping.core > 1:
        users, videos = (
            side.filter(pc.is_in(side[name], value_set=_ids(pairs, name)))
            for side, name in ((users, USER_ID), (videos, VIDEO_ID))
        )
    if not pc.any(pc.equal(pairs[LABEL], 1)).as_py():
        raise DataError(
            f"{log} should have likes that are kept; loosen `positive`, `core` or "
            f"`drop_unknown`. Received: none in {pairs.num_rows} pairs."
        )
    features = Features(of_user, of_video)
    names = {f.column: f.name for f in (*of_user, *of_video)}
    users, videos = (
        side.rename_columns([names.get(name, name) for name in side.column_names])
        for side in (users, videos)
    )
    tables = Tables(users, videos, pairs)
    check(tables)
    write_tables(out, tables, features)
    return tables, features


def _pairs(log: Path, mapping: Mapping) -> pa.Table:
    if not log.exists():
        raise DataError(f"{log} does not exist.")
    wanted = [mapping.user, mapping.video, mapping.rating, mapping.time]
    distinct = dict.fromkeys(name for name in wanted if name is not None)
    raw = read_columns(log, list(distinct), [])
    where = {name: f"{log.name}, column '{name}'" for name in raw.column_names}
    pairs = {
        USER_ID: columns.ids(where[mapping.user], raw[mapping.user], mapping.user),
        VIDEO_ID: columns.ids(where[mapping.video], raw[mapping.video], mapping.video),
    }
    liked = pa.array([True] * raw.num_rows)
    if mapping.rating is not None and mapping.positive is not None:
        ratings = numbers(where[mapping.rating], raw[mapping.rating])
        liked = _liked(ratings, mapping.positive.strip())
    pairs[LABEL] = liked.cast(pa.int8())
    if mapping.time is not None:
        pairs[TIMESTAMP] = timestamp(where[mapping.time], raw[mapping.time])
    return pa.table(pairs)


def _liked(ratings: pa.Array, positive: str) -> pa.Array:
    """Whether each rating is a like; a missing one is not."""
    rule = _RULE.fullmatch(positive)
    assert rule is not None
    compare = _COMPARED[rule[1] or "=="]
    return pa.array(compare(ratings.to_numpy(zero_copy_only=False), float(rule[2])))


def _kept(
    pairs: pa.Table, users: pa.Table, videos: pa.Table, mapping: Mapping
) -> pa.Table:
    """The pairs after what the mapping says of rows that do not fit."""
    if mapping.drop_unknown:
        for name, side in ((USER_ID, users), (VIDEO_ID, videos)):
            known = pc.is_in(pairs[name], value_set=side[name].combine_chunks())
            pairs = pairs.filter(known)
    if mapping.merge_repeats and pairs.num_rows:
        pairs = merged(pairs)
    return core(pairs, mapping.core) if mapping.core > 1 else pairs


def _side(
    path: Path | None, own: str, id_name: str, pairs: pa.Table
) -> tuple[pa.Table, tuple[Feature, ...]]:
    """One table and its guessed features; of the ids alone where there is none."""
    if path is None:
        return pa.table({id_name: _ids(pairs, id_name)}), ()
    if not path.exists():
        raise DataError(f"{path} does not exist.")
    found = columns_of(path)
    identity = own if own in found else id_name
    wanted = [name for name in found if name != identity]
    raw = read_columns(path, [identity, *wanted], [])
    where = f"{path.name}, column '{identity}'"
    side = {id_name: columns.ids(where, raw[identity], identity)}
    features: list[Feature] = []
    for name in wanted:
        read = _feature(f"{path.name}, column '{name}'", name, raw[name])
        if read is not None:
            feature, side[name] = read
            features.append(feature)
    return pa.table(side), tuple(features)


def _feature(
    where: str, name: str, column: pa.ChunkedArray
) -> tuple[Feature, pa.Array] | None:
    """The column as names, several where cells are lists; None where it tells nothing.

    Fractions are numbers in buckets. A column without a value and one in which every
    row differs, as in titles, are left out.
    """
    array = combined(column)
    several = is_list(array.type)
    if not several:
        try:
            array = columns.categorical(where, array)
        except DataError:
            return None
        several = pc.any(pc.match_substring(array, "|")).as_py() or False
        distinct = len(pc.unique(array.drop_null()))
        fraction = pc.all(pc.match_substring_regex(array, r"^-?[0-9]+\.[0-9]+$"))
        if distinct and fraction.as_py():
            return Numeric(name, BUCKETS, _BUCKETS), number(where, column)
        if not distinct or distinct == len(array) > _FEW:
            return None
    converted = columns.multivalued(where, array) if several else array
    return Categorical(name, several), converted


def _ids(pairs: pa.Table, name: str) -> pa.Array:
    return pc.unique(pairs[name].combine_chunks())
