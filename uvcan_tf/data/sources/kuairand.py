"""KuaiRand, a public micro-video log in three sizes, as the three tables.

C. Gao et al., "KuaiRand: An Unbiased Sequential Recommendation Dataset with Randomly
Exposed Videos", CIKM 2022. Columns are read by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf import features as names
from uvcan_tf.data import columns
from uvcan_tf.data.files import columns_of, read_columns
from uvcan_tf.data.pairs import merged
from uvcan_tf.data.summary import Summary, summarise
from uvcan_tf.data.tables import Tables, check, write_tables
from uvcan_tf.data.text import numbers
from uvcan_tf.data.times import timestamp
from uvcan_tf.errors import DataError
from uvcan_tf.features import KUAIRAND, LABEL, TIMESTAMP, USER_ID, VIDEO_ID

__all__ = ["Positive", "convert"]

Positive = Literal["long_view", "is_like"]

_SIZES: Final = ("pure", "1k", "27k")
_LOGS: Final = ("log_standard*_{}.csv", "log_standard*_{}_part*.csv")
_TRAINING_LOG: Final = "log_standard_train.csv"
_USERS: Final = "user_features_{}.csv"
_VIDEOS: Final = "video_features_basic_{}.csv"
_TIME: Final = "time_ms"
_MISSING: Final = ("UNKNOWN", "NaN", "nan")
_NO_MUSIC: Final = "0"  # Of 204 videos, where the type of the music is missing too.

# The two features whose raw columns have other names and forms.
_, _MUSIC, _TAGS, _, _, _DURATION_BUCKET = (feature.name for feature in KUAIRAND.video)
_RAW: Final = {_TAGS: "tag", _DURATION_BUCKET: "video_duration"}
_EDGES_S: Final = (7, 15, 30, 60, 120)
_BUCKETS: Final = ("0-7", "7-15", "15-30", "30-60", "60-120", "120+")


def convert(
    raw: Path,
    out: Path,
    positive: Positive,
    min_interactions: int,
    rows_in_order: bool = False,
) -> Summary:
    """Turns the public files into tables with the declaration `features.KUAIRAND`.

    The files are those of KuaiRand-Pure, 1K or 27K, in the folder or its `data`. All
    standard logs are read, the public ones and a training subset; the log of random
    exposures is ignored. Rows of one pair are merged: the pair is
    positive when one of them is, and its time is the latest. Kept are the users with
    at least `min_interactions` positive pairs, then the videos with at least one
    positive pair of a kept user: one pass each. Of the pairs of kept users and kept
    videos, positive ones get the label 1 and skipped impressions the label 0.

    Args:
      raw: folder of the public files.
      out: folder for the tables.
      positive: the signal that makes a pair positive.
      min_interactions: the fewest positive pairs of a kept user.
      rows_in_order: whether the rows of a log without times stand in the order of
        watching. Then a row's number is its timestamp: an order, and no time.

    Raises:
      DataError: a file or column is missing, or nobody has so many positive pairs.
    """
    _require_known(positive)
    raw, size, logs = _layout(Path(raw))
    interactions = _kept(_log(logs, positive, rows_in_order), min_interactions)
    if interactions.num_rows == 0:
        raise DataError(
            f"No user of the log in {raw} has {min_interactions} pairs with "
            f"{positive} = 1; lower `min_interactions`."
        )
    tables = _tables(raw, size, interactions)
    check(tables)
    write_tables(out, tables, KUAIRAND)
    return summarise(tables)


def _require_known(positive: str) -> None:
    if positive not in get_args(Positive):
        raise DataError(
            f"`positive` should be one of {', '.join(get_args(Positive))}. "
            f"Received: {positive!r}."
        )


def _tables(raw: Path, size: str, interactions: pa.Table) -> Tables:
    users = read_columns(
        _file(raw, _USERS.format(size)), [USER_ID, *(f.name for f in KUAIRAND.user)], []
    )
    wanted = (_RAW.get(f.name, f.name) for f in KUAIRAND.video)
    path = _file(raw, _VIDEOS.format(size))
    videos = read_columns(path, [VIDEO_ID, *wanted], [])
    return Tables(
        users=_side(users, USER_ID, KUAIRAND.user, interactions),
        videos=_side(videos, VIDEO_ID, KUAIRAND.video, interactions),
        interactions=interactions,
    )


def _layout(raw: Path) -> tuple[Path, str, list[Path]]:
    """The folder of the files, their size as their names tell it, and the logs."""
    for folder in (raw, raw / "data"):
        for size in _SIZES:
            logs = {p for form in _LOGS for p in folder.glob(form.format(size))}
            training = folder / _TRAINING_LOG
            if size == _SIZES[0] and training.is_file():
                logs.add(training)
            if logs:
                return folder, size, sorted(logs)
    tried = ", ".join(_LOGS[0].format(size) for size in _SIZES)
    raise DataError(
        f"{raw}, or data in it, should hold a log of KuaiRand, one of {tried} or "
        f"{_TRAINING_LOG}. Received: no such file."
    )


def _file(raw: Path, name: str) -> Path:
    path = raw / name
    if not path.is_file():
        raise DataError(f"{raw} should hold KuaiRand's {name}. Received: no file.")
    return path


def _log(paths: list[Path], positive: str, rows_in_order: bool) -> pa.Table:
    """All standard logs as one table, each pair once, with label and time."""
    timed = [_TIME] if all(_TIME in columns_of(path) for path in paths) else []
    parts = []
    for path in paths:
        part = read_columns(path, [USER_ID, VIDEO_ID, positive, *timed], [])
        converted = {
            name: columns.ids(f"{path.name}, column '{name}'", _clean(part[name]))
            for name in (USER_ID, VIDEO_ID)
        }
        converted[LABEL] = columns.label(
            f"{path.name}, column '{positive}'", part[positive]
        )
        for name in timed:
            converted[TIMESTAMP] = timestamp(
                f"{path.name}, column '{name}'", part[name]
            )
        parts.append(pa.table(converted))
    log = pa.concat_tables(parts).combine_chunks()
    if rows_in_order and not timed:
        log = log.append_column(TIMESTAMP, pa.array(np.arange(log.num_rows)))
    return merged(log)


def _kept(log: pa.Table, min_interactions: int) -> pa.Table:
    """The rows of users with enough positive pairs and of videos that they liked."""
    positive = log.filter(pc.equal(log[LABEL], 1))
    counts = pc.value_counts(positive[USER_ID])
    users = counts.field(0).filter(pc.greater_equal(counts.field(1), min_interactions))
    positive = positive.filter(pc.is_in(positive[USER_ID], value_set=users))
    videos = pc.unique(positive[VIDEO_ID])
    kept = pc.and_(
        pc.is_in(log[USER_ID], value_set=users),
        pc.is_in(log[VIDEO_ID], value_set=videos),
    )
    return log.filter(kept)


def _side(
    raw: pa.Table,
    id_name: str,
    features: tuple[names.Feature, ...],
    interactions: pa.Table,
) -> pa.Table:
    converted = {id_name: _clean(raw[id_name])}
    for feature in features:
        column = raw[_RAW.get(feature.name, feature.name)]
        if feature.name == _TAGS:
            text = pc.replace_substring(_clean(column), ",", "|")
            converted[feature.name] = columns.multivalued(feature.name, text)
        elif feature.name == _DURATION_BUCKET:
            converted[feature.name] = _duration_buckets(column)
        elif feature.name == _MUSIC:
            none = pc.equal(column, _NO_MUSIC)
            converted[feature.name] = _clean(pc.if_else(none, _MISSING[0], column))
        else:
            converted[feature.name] = _clean(column)
    table = pa.table(converted)
    used = pc.unique(interactions[id_name])
    return table.filter(pc.is_in(table[id_name], value_set=used))


def _clean(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strings without the '.0' of a number once stored as float; unknowns as null."""
    text = pc.replace_substring_regex(column, r"^(-?[0-9]+)\.0$", r"\1")
    unknown = pc.is_in(text, value_set=pa.array(_MISSING))
    return pc.if_else(unknown, pa.scalar(None, pa.string()), text)


def _duration_buckets(milliseconds: pa.ChunkedArray) -> pa.Array:
    """Names of half-open ranges of seconds: 7-15 holds 7 and not 15."""
    where = f"The videos' column '{_RAW[_DURATION_BUCKET]}'"
    values = numbers(where, _clean(milliseconds))
    known = pc.is_valid(values).to_numpy(zero_copy_only=False)
    seconds = pc.fill_null(values, 0).to_numpy() / 1000
    buckets = np.array(_BUCKETS, object)[np.digitize(seconds, _EDGES_S)]
    return pa.array(buckets, pa.string(), mask=~known)
