"""A log of interactions made a table of pairs: merged, and cut to its core."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.features import LABEL, USER_ID, VIDEO_ID

__all__ = ["core", "merged", "once"]

_PLACE: Final = "place in the log"


def merged(log: pa.Table) -> pa.Table:
    """Each pair once, with the largest label and the latest time of its rows."""
    codes = [
        np.asarray(log[name].combine_chunks().dictionary_encode().indices, np.int64)
        for name in (USER_ID, VIDEO_ID)
    ]
    keys = codes[0] * (codes[1].max(initial=0) + 1) + codes[1]
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    pairs = {name: log[name].take(order[starts]) for name in (USER_ID, VIDEO_ID)}
    for name in log.column_names[2:]:
        values = log[name].combine_chunks()
        known = values.is_valid().to_numpy(zero_copy_only=False)[order]
        numbers = pc.fill_null(
            values, np.iinfo(np.int64).min if values.null_count else 0
        )
        largest = np.maximum.reduceat(numbers.to_numpy()[order], starts)
        missing = ~np.logical_or.reduceat(known, starts)
        pairs[name] = pa.array(largest, values.type, mask=missing)
    return pa.table(pairs)


def once(
    log: pa.Table, places: npt.NDArray[np.int64] | None = None
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """The same in the order in which the pairs come first, with the places of these.

    Args:
      log: all rows of some of the users.
      places: of the rows in the whole log, int64; by default the rows are the log.
    """
    at = np.arange(log.num_rows) if places is None else places
    pairs = merged(log.append_column(_PLACE, pa.array(-at)))
    first = -np.asarray(pairs[_PLACE])
    order = np.argsort(first)
    return pairs.drop([_PLACE]).take(pa.array(order)), first[order]


def core(pairs: pa.Table, least: int) -> pa.Table:
    """The pairs among users and videos with at least so many likes of each other.

    Whoever has fewer goes, until nobody has: the k-core of the likes. Pairs that are
    no likes stay where both of their sides do.
    """
    while True:
        liked = pairs.filter(pc.equal(pairs[LABEL], 1))
        kept = pa.chunked_array([pa.array(np.ones(pairs.num_rows, bool))])
        for name in (USER_ID, VIDEO_ID):
            counts = pc.value_counts(liked[name])
            enough = pc.greater_equal(counts.field("counts"), least)
            ids = counts.field("values").filter(enough)
            kept = pc.and_(kept, pc.is_in(pairs[name], value_set=ids))
        if pc.all(kept).as_py() is not False:
            return pairs
        pairs = pairs.filter(kept)
