"""One consistent snapshot of the three tables as the four splits of the pipeline.

Arrow in, Arrow out: no TensorFlow, no Beam, no row-level Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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

_Mask = npt.NDArray[np.bool_]
_GROUP, _LIKES = "group", "likes"
_LIKES_OF_GROUPS = pa.schema({_GROUP: pa.binary(), _LIKES: pa.int64()})


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
    split = split_interactions(tables.interactions, evaluation)
    rows = join(tables.interactions, tables.users, tables.videos, features)
    likes = likes_of_groups(rows, split.train, features)
    train, evaluated = written(
        rows, split.train, split.test, likes, features, evaluation, remembered
    )
    return {
        names.TRAIN: train,
        names.EVAL: evaluated,
        names.USERS: tables.users,
        names.VIDEOS: tables.videos,
    }


def join(
    interactions: pa.Table, users: pa.Table, videos: pa.Table, features: Features
) -> pa.Table:
    """The interactions with the categorical attributes of their users and videos."""
    user = pc.index_in(interactions[names.USER_ID], users[names.USER_ID])
    video = pc.index_in(interactions[names.VIDEO_ID], videos[names.VIDEO_ID])
    for feature in features.light_user:
        column = users[feature.name].take(user)
        interactions = interactions.append_column(feature.name, column)
    for feature in features.light_video:
        column = videos[feature.name].take(video)
        interactions = interactions.append_column(feature.name, column)
    return interactions


def likes_of_groups(rows: pa.Table, train: _Mask, features: Features) -> pa.Table:
    """The number of training likes of each group, int64, where there are any.

    Those of several sets of users add up; see `added`.
    """
    liked = np.asarray(rows[names.LABEL]) == 1
    lists = rows[features.popularity_of].filter(pa.array(liked & train))
    values = pc.list_flatten(_as_lists(lists.combine_chunks()))
    counts = pc.value_counts(values)
    return pa.table(
        {_GROUP: counts.field("values"), _LIKES: counts.field("counts")},
        schema=_LIKES_OF_GROUPS,
    )


def added(likes: Sequence[pa.Table]) -> pa.Table:
    """The likes of groups that several sets of users gave."""
    every = pa.concat_tables([_LIKES_OF_GROUPS.empty_table(), *likes])
    groups = every[_GROUP].combine_chunks().dictionary_encode()
    sums = np.bincount(
        np.asarray(groups.indices), weights=np.asarray(every[_LIKES]), minlength=1
    )
    return pa.table(
        {_GROUP: groups.dictionary, _LIKES: sums[: len(groups.dictionary)]},
        schema=_LIKES_OF_GROUPS,
    )


def written(
    rows: pa.Table,
    train: _Mask,
    test: _Mask,
    likes: pa.Table,
    features: Features,
    evaluation: EvaluationConfig,
    remembered: bool,
) -> tuple[pa.Table, pa.Table]:
    """The rows of `train` and `eval` that all interactions of some users give.

    Args:
      rows: the interactions, joined.
      train: bool [P], the rows that training may know.
      test: bool [P], the held-out rows.
      likes: of the groups, among all users.
      features: the declaration.
      evaluation: how rows were held out.
      remembered: see `splits`.
    """
    popularity = _popularity(rows[features.popularity_of], likes)
    rows = rows.append_column(names.POPULARITY, popularity)
    own = [names.USER_ID, names.VIDEO_ID, names.LABEL, names.POPULARITY]
    if evaluation.split != RANDOM:  # validation is then held out in time, too
        own.append(names.TIMESTAMP)
    known = rows.select(own).filter(pa.array(train))
    lights = (*features.light_user, *features.light_video)
    joined = [*own[:3], *(feature.name for feature in lights), names.POPULARITY]
    rows = rows.select(joined)
    liked = np.asarray(rows[names.LABEL]) == 1
    evaluated = _by_user(rows.filter(pa.array(test)))
    learned = rows.filter(pa.array(liked & train & (not remembered)))
    told = _videos_of_user(evaluated, pa.concat_tables([evaluated, learned]))
    return known, evaluated.append_column(names.HELD_OUT, told)


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


def _popularity(groups: pa.ChunkedArray, likes: pa.Table) -> pa.Array:
    """Bucket of the number of training likes in each row's group.

    A row without a group has popularity 0; one in several groups, that of the largest.
    """
    lists = _as_lists(groups.combine_chunks())
    row = np.asarray(pc.list_parent_indices(lists))
    group = pc.index_in(pc.list_flatten(lists), likes[_GROUP].combine_chunks())
    of_group = np.append(np.asarray(likes[_LIKES]), 0)  # the last for an unknown one
    most = np.zeros(len(groups), np.int64)
    np.maximum.at(most, row, of_group[np.asarray(pc.fill_null(group, -1))])
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
