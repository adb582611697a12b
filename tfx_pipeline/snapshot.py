"""One consistent snapshot of the three tables as the four splits of the pipeline.

Arrow in, Arrow out: no TensorFlow, no Beam, no row-level Python.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf import features as names
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.held_out import split_interactions
from uvcan_tf.data.tables import Tables
from uvcan_tf.evaluation_settings import RANDOM
from uvcan_tf.features import Features

SPLITS = (names.TRAIN, names.EVAL, names.USERS, names.VIDEOS)

#: All that training reads.
TRAINED_ON = (names.TRAIN, names.USERS, names.VIDEOS)

_BUCKETS = (1, 5, 20, 100)
_BUCKET_NAMES = ("0", "1-4", "5-19", "20-99", "100+")
_MAX_SHARDS = 32
_MIN_SHARD_ROWS = 2048


def splits(
    tables: Tables,
    features: Features,
    evaluation: EvaluationConfig,
    remembered: bool = True,
) -> dict[str, pa.Table]:
    """The splits `train`, `eval`, `users` and `videos`, by name.

    Rows of both `train` and `eval` tell the popularity of the video's group among
    training likes. Those of `eval`, which are evaluated by slices, are also joined with
    the categorical attributes of their user and video; training finds them in the
    tables. Only likes are held out; a row of `eval` carries all held-out videos of its
    user, whose rows stand together: the signature `evaluate` rates a video once for all
    pairs of a user that it is given at once. To a model that has not `remembered` who
    liked what, they tell the user's training likes as well.

    Raises:
      DataError: nothing would be held out, or nothing learned from.
    """
    joined = _join(tables, features)
    split = split_interactions(tables.interactions, evaluation)
    liked = np.asarray(tables.interactions[names.LABEL]) == 1
    popularity = _popularity(joined[features.popularity_of], liked & split.train)
    joined = joined.append_column(names.POPULARITY, popularity)
    own = [names.USER_ID, names.VIDEO_ID, names.LABEL, names.POPULARITY]
    known = joined
    if evaluation.split != RANDOM:  # validation is then held out in time, too
        time = tables.interactions[names.TIMESTAMP]
        known = joined.append_column(names.TIMESTAMP, time)
        own.append(names.TIMESTAMP)
    evaluated = _by_user(joined.filter(pa.array(split.test)))
    likes = joined.filter(pa.array(liked & split.train & (not remembered)))
    told = _videos_of_user(evaluated, pa.concat_tables([evaluated, likes]))
    return {
        names.TRAIN: known.select(own).filter(pa.array(split.train)),
        names.EVAL: evaluated.append_column(names.HELD_OUT, told),
        names.USERS: tables.users,
        names.VIDEOS: tables.videos,
    }


def shards(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """Cuts a split into at most 32 record batches whose columns are all lists."""
    rows = max(_MIN_SHARD_ROWS, -(-table.num_rows // _MAX_SHARDS))
    for start in range(0, table.num_rows, rows):
        yield whole_batch(table.slice(start, rows))


def whole_batch(table: pa.Table) -> pa.RecordBatch:
    """A table as one record batch whose columns are all lists."""
    return pa.RecordBatch.from_arrays(
        [_as_lists(column.combine_chunks()) for column in table.columns],
        names=table.column_names,
    )


def _join(tables: Tables, features: Features) -> pa.Table:
    pairs = tables.interactions
    user = pc.index_in(pairs[names.USER_ID], tables.users[names.USER_ID])
    video = pc.index_in(pairs[names.VIDEO_ID], tables.videos[names.VIDEO_ID])
    joined = pairs.select([names.USER_ID, names.VIDEO_ID, names.LABEL])
    for feature in features.light_user:
        column = tables.users[feature.name].take(user)
        joined = joined.append_column(feature.name, column)
    for feature in features.light_video:
        column = tables.videos[feature.name].take(video)
        joined = joined.append_column(feature.name, column)
    return joined


def _popularity(groups: pa.ChunkedArray, counted: npt.NDArray[np.bool_]) -> pa.Array:
    """Bucket of the number of counted rows in each row's group.

    A row without a group has popularity 0; one in several groups, that of the largest.
    """
    lists = _as_lists(groups.combine_chunks())
    row = np.asarray(pc.list_parent_indices(lists))
    group = np.asarray(pc.dictionary_encode(pc.list_flatten(lists)).indices)
    likes = np.bincount(group, weights=counted[row], minlength=1).astype(np.int64)
    most = np.zeros(len(groups), np.int64)
    np.maximum.at(most, row, likes[group])
    return pa.array(_BUCKET_NAMES).take(
        pa.array(np.searchsorted(_BUCKETS, most, "right"))
    )


def _by_user(rows: pa.Table) -> pa.Table:
    """The rows of each user one after the other, in the order they came in."""
    users = rows[names.USER_ID].combine_chunks().dictionary_encode().indices
    return rows.take(pa.array(np.argsort(np.asarray(users), kind="stable")))


def _videos_of_user(evaluated: pa.Table, told: pa.Table) -> pa.Array:
    """For every evaluated row, the list of the videos in the told rows of its user."""
    users = pc.unique(evaluated[names.USER_ID])
    told = told.filter(pc.is_in(told[names.USER_ID], users))
    user, teller = (
        np.asarray(pc.index_in(table[names.USER_ID], users))
        for table in (evaluated, told)
    )
    order = np.argsort(teller, kind="stable")
    counts = np.bincount(teller, minlength=1)
    ends = np.cumsum(counts)
    offsets = np.concatenate([[0], np.cumsum(counts[user])])
    starts = np.repeat((ends - counts)[user] - offsets[:-1], counts[user])
    taken = order[starts + np.arange(offsets[-1])]
    videos = told[names.VIDEO_ID].combine_chunks().take(pa.array(taken))
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), videos)


def _as_lists(column: pa.Array) -> pa.Array:
    """The column as lists of a `tf.Example`'s types, null where nothing is known.

    Strings become bytes, labels int64; an empty list counts as missing.
    """
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lists = column.cast(pa.large_list(pa.binary()))
        known = pc.greater(pc.fill_null(pc.list_value_length(lists), 0), 0)
    elif pa.types.is_fixed_size_list(kind):
        lists, known = _listed(column, column.flatten(), kind.list_size)
    else:
        if not pa.types.is_floating(kind):
            whole = pa.types.is_integer(kind)
            column = column.cast(pa.int64() if whole else pa.binary())
        lists, known = _listed(column, column.drop_null(), 1)
    return pc.if_else(known, lists, pa.scalar(None, lists.type))


def _listed(
    column: pa.Array, values: pa.Array, length: int
) -> tuple[pa.Array, pa.Array]:
    """`length` of the values for each row that is not null, none for the others."""
    known = column.is_valid()
    offsets = np.concatenate([[0], np.cumsum(np.asarray(known) * length)])
    return pa.LargeListArray.from_arrays(pa.array(offsets), values), known
