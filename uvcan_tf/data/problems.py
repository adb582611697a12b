"""Rows that make canonical tables unusable, counted in one go or set by set of users.

Each set has all rows of its users. What sets tell adds up to what the whole tells.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf import features as names

__all__ = ["Problems", "of_ids", "of_interactions"]

_FIRST: Final = 5

_Places = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Repeated:
    """Rows whose key stands in an earlier row: how many, and the first five of them.

    Each of these is its place in the table and what is shown of it.
    """

    rows: int = 0
    first: tuple[tuple[int, str], ...] = ()

    def __add__(self, other: Repeated) -> Repeated:
        first = sorted((*self.first, *other.first))[:_FIRST]
        return Repeated(self.rows + other.rows, tuple(first))

    @property
    def shown(self) -> str:
        """The first ones, as a sentence lists them."""
        return ", ".join(text for _, text in self.first)


@dataclasses.dataclass(frozen=True)
class Unknown:
    """Rows with an id that a table lacks, and the first place of each such id."""

    rows: int = 0
    ids: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __add__(self, other: Unknown) -> Unknown:
        ids = dict(self.ids)
        for identity, place in other.ids.items():
            ids[identity] = min(place, ids.get(identity, place))
        return Unknown(self.rows + other.rows, ids)

    def sentence(self, id_name: str, table: str) -> str:
        """What is wrong and what to do."""
        first = sorted(self.ids, key=lambda identity: self.ids[identity])[:_FIRST]
        return (
            f"{names.INTERACTIONS} names {len(self.ids)} {id_name}s that {table} "
            f"lacks, in {self.rows} rows; add them, or drop the rows, as `data import "
            f"--drop-unknown` does. First: {', '.join(first)}."
        )


@dataclasses.dataclass(frozen=True)
class Problems:
    """What is wrong with some rows of the three tables."""

    users: Repeated = Repeated()
    videos: Repeated = Repeated()
    unknown_users: Unknown = dataclasses.field(default_factory=Unknown)
    unknown_videos: Unknown = dataclasses.field(default_factory=Unknown)
    pairs: Repeated = Repeated()

    def __add__(self, other: Problems) -> Problems:
        return Problems(
            **{
                field.name: getattr(self, field.name) + getattr(other, field.name)
                for field in dataclasses.fields(self)
            }
        )

    def sentences(self) -> Iterator[str]:
        """A sentence on each kind of rows that makes the tables unusable."""
        for table in (names.USERS, names.VIDEOS):
            repeated: Repeated = getattr(self, table)
            if repeated.rows:
                yield (
                    f"{table} should have each id once. Received: {repeated.rows} "
                    f"repeated, first: {repeated.shown}."
                )
        if self.unknown_users.rows:
            yield self.unknown_users.sentence(names.USER_ID, names.USERS)
        if self.unknown_videos.rows:
            yield self.unknown_videos.sentence(names.VIDEO_ID, names.VIDEOS)
        if self.pairs.rows:
            yield (
                f"{names.INTERACTIONS} should have each pair of user and video once; "
                "merge the repeated ones, as `data import --merge-repeats` does. "
                f"Received: {self.pairs.rows} repeated, first: {self.pairs.shown}."
            )


def of_ids(ids: pa.ChunkedArray, places: _Places | None = None) -> Repeated:
    """The repeated ids of a table.

    Args:
      ids: of all its rows, or of all that may be equal.
      places: of the rows in the table, ascending; by default the rows are the table.
    """
    codes = np.asarray(pc.dictionary_encode(ids.combine_chunks()).indices)
    repeated = _repeated(codes)
    shown = ids.take(pa.array(repeated[:_FIRST])).to_pylist()
    return _first(repeated, places, shown)


def of_interactions(
    pairs: pa.Table, users: pa.Table, videos: pa.Table, places: _Places | None = None
) -> Problems:
    """Unknown ids and repeated pairs.

    Args:
      pairs: all interactions of some of the users.
      users: at least the rows of these users.
      videos: the table.
      places: see `of_ids`.
    """
    user = _positions(pairs[names.USER_ID], users[names.USER_ID])
    video = _positions(pairs[names.VIDEO_ID], videos[names.VIDEO_ID])
    known = np.flatnonzero((user >= 0) & (video >= 0))
    again = known[_repeated(user[known] * videos.num_rows + video[known])]
    first = pairs.take(pa.array(again[:_FIRST]))
    ids = (first[name].to_pylist() for name in (names.USER_ID, names.VIDEO_ID))
    shown = [f"({user}, {video})" for user, video in zip(*ids, strict=True)]
    return Problems(
        unknown_users=_unknown(pairs[names.USER_ID], user < 0, places),
        unknown_videos=_unknown(pairs[names.VIDEO_ID], video < 0, places),
        pairs=_first(again, places, shown),
    )


def _first(
    rows: npt.NDArray[Any], places: _Places | None, shown: list[str]
) -> Repeated:
    at = rows[:_FIRST] if places is None else places[rows[:_FIRST]]
    return Repeated(len(rows), tuple(zip(at.tolist(), shown, strict=True)))


def _repeated(keys: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows whose key stands in an earlier row already."""
    order = np.argsort(keys, kind="stable")
    again = keys[order][1:] == keys[order][:-1]
    return np.sort(order[1:][again])


def _positions(ids: pa.ChunkedArray, known: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Row numbers of ids in a table; -1 where it lacks them."""
    found = pc.index_in(ids.combine_chunks(), value_set=known.combine_chunks())
    return np.asarray(pc.fill_null(found, -1), np.int64)


def _unknown(
    ids: pa.ChunkedArray, unknown: npt.NDArray[np.bool_], places: _Places | None
) -> Unknown:
    rows = np.flatnonzero(unknown)
    codes = ids.take(pa.array(rows)).combine_chunks().dictionary_encode()
    _, first = np.unique(np.asarray(codes.indices), return_index=True)
    at = rows[first] if places is None else places[rows[first]]
    found = zip(codes.dictionary.to_pylist(), at.tolist(), strict=True)
    return Unknown(len(rows), dict(found))
