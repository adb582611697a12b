"""Which interactions are learned from, and which are tested on.

At random, as in the paper, or in time: what came after a moment is then unknown to
training, to the candidates of a test and to whatever ranks by impressions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from uvcan_tf.data.split import (
    HoldOutReport,
    hold_out,
    hold_out_counts,
    last_of_users,
)
from uvcan_tf.errors import DataError
from uvcan_tf.evaluation_settings import RANDOM, TIME, EvaluationConfig
from uvcan_tf.features import INTERACTIONS, LABEL, TIMESTAMP, USER_ID, VIDEO_ID

__all__ = [
    "Counts",
    "HeldOut",
    "place_of_moment",
    "report",
    "require_times",
    "split_interactions",
    "split_users",
]

_Mask = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Rows of the interactions, bool [P] each; a row may be in neither part.

    Attributes:
      train: what may be known: likes to learn from, and impressions without a like.
      test: the held-out likes.
      report: one sentence on how many there are.
    """

    train: _Mask
    test: _Mask
    report: str


@dataclasses.dataclass(frozen=True)
class Counts:
    """Numbers of rows; those of several sets of users add up.

    `users` have likes; with `users_with_too_few` no like can be held out at random.
    `first` and `last` are the moments between which all rows lie.
    """

    likes: int = 0
    train: int = 0
    train_likes: int = 0
    test: int = 0
    users: int = 0
    users_with_too_few: int = 0
    left_out: int = 0
    first: int = int(np.iinfo(np.int64).max)
    last: int = int(np.iinfo(np.int64).min)

    def __add__(self, other: Counts) -> Counts:
        added = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in dataclasses.fields(self)
        }
        added["first"] = min(self.first, other.first)
        added["last"] = max(self.last, other.last)
        return Counts(**added)


def split_interactions(interactions: pa.Table, config: EvaluationConfig) -> HeldOut:
    """Parts the canonical interactions as `config.split` says.

    Raises:
      DataError: nothing would be tested or nothing learned from, or a split in time
        is asked for and a row has no timestamp.
    """
    moment = config.split_at
    if config.split != RANDOM:
        names = interactions.column_names
        require_times(names, TIMESTAMP in names and interactions[TIMESTAMP].null_count)
        if config.split == TIME and moment is None:
            time = np.asarray(interactions[TIMESTAMP], np.int64)
            moment = int(np.sort(time)[place_of_moment(len(time), config)])
    train, test, counts = split_users(interactions, config, moment)
    return HeldOut(train, test, report(counts, config, moment))


def split_users(
    interactions: pa.Table, config: EvaluationConfig, moment: int | None
) -> tuple[_Mask, _Mask, Counts]:
    """Parts all rows of some of the users; whoever else there is changes nothing.

    Args:
      interactions: canonical, with a timestamp in every row for a split in time.
      config: how to split.
      moment: that from which on rows are held out, for a split in time.

    Returns:
      `train` and `test`, as `HeldOut` has them, and how many rows there are.
    """
    liked: _Mask = np.asarray(interactions[LABEL]) == 1
    if config.split == RANDOM:
        return _at_random(liked, interactions, config)
    time = np.asarray(interactions[TIMESTAMP], np.int64)
    if config.split == TIME:
        assert moment is not None
        train, test = time < moment, (time >= moment) & liked
    else:
        user, _ = pd.factorize(np.asarray(interactions[USER_ID], object))
        train, test = _last_of_user(liked, user, time, config.last_likes)
    found = _counts(liked, train, test)
    if len(time):
        times = {"first": int(time.min()), "last": int(time.max())}
        found = dataclasses.replace(found, **times)
    return train, test, found


def report(counts: Counts, config: EvaluationConfig, moment: int | None) -> str:
    """One sentence on how many rows of all users are held out.

    Raises:
      DataError: nothing would be tested, or nothing learned from.
    """
    if config.split == RANDOM:
        found = HoldOutReport(
            fraction=config.held_out_fraction,
            users=counts.users,
            users_with_too_few=counts.users_with_too_few,
            train_pairs=counts.train_likes,
            held_out_pairs=counts.test,
        )
        return str(found.required())
    held_out = f"{counts.test:,} of {counts.likes:,} likes held out:"
    if config.split == TIME:
        _require(counts, f"before and from {TIMESTAMP} {moment} on")
        return (
            f"{held_out} those from {TIMESTAMP} {moment} on; {counts.left_out:,} "
            "impressions of that time are left out."
        )
    _require(counts, f"before and among the last {config.last_likes} of a user")
    return (
        f"{held_out} the last {config.last_likes} of each user who has more; "
        f"{counts.left_out:,} later impressions are left out."
    )


def place_of_moment(rows: int, config: EvaluationConfig) -> int:
    """Where the moment of a split in time stands among the sorted times of all rows."""
    return min(int(np.floor(rows * (1 - config.held_out_fraction))), rows - 1)


def require_times(columns: Sequence[str], nulls: int) -> None:
    """Checks that a split in time is possible.

    Args:
      columns: of the interactions.
      nulls: the number of rows without a timestamp.

    Raises:
      DataError: a row has no timestamp.
    """
    wanted = f"A split in time needs the column '{TIMESTAMP}' of {INTERACTIONS}"
    if TIMESTAMP not in columns:
        raise DataError(
            f"{wanted}. Received: {', '.join(columns)}; add it, or choose "
            "`evaluation.split` random."
        )
    if nulls:
        raise DataError(
            f"{wanted} in every row. Received: {nulls} rows without one; drop them, or "
            "choose `evaluation.split` random."
        )


def _at_random(
    liked: _Mask, interactions: pa.Table, config: EvaluationConfig
) -> tuple[_Mask, _Mask, Counts]:
    user_ids, video_ids = (
        np.asarray(interactions[name], object)[liked] for name in (USER_ID, VIDEO_ID)
    )
    fraction = config.held_out_fraction
    chosen = hold_out(user_ids, video_ids, fraction, config.seed)
    users = hold_out_counts(user_ids, chosen, fraction)
    test = np.zeros(len(liked), bool)
    test[np.flatnonzero(liked)[chosen]] = True
    counts = dataclasses.replace(
        _counts(liked, ~test, test),
        users=users.users,
        users_with_too_few=users.users_with_too_few,
    )
    return ~test, test, counts


def _last_of_user(
    liked: _Mask, user: npt.NDArray[Any], time: npt.NDArray[np.int64], count: int
) -> tuple[_Mask, _Mask]:
    """The last likes of each user who keeps at least one; impressions as of then."""
    users = int(user.max(initial=-1)) + 1
    chosen, first = last_of_users(user[liked], time[liked], count, users)
    test = np.zeros(len(liked), bool)
    test[np.flatnonzero(liked)[chosen]] = True
    return ~test & (liked | (time < first[user])), test


def _counts(liked: _Mask, train: _Mask, test: _Mask) -> Counts:
    return Counts(
        likes=int(liked.sum()),
        train=int(train.sum()),
        train_likes=int((liked & train).sum()),
        test=int(test.sum()),
        left_out=int((~liked & ~train).sum()),
    )


def _require(counts: Counts, where: str) -> None:
    if not counts.train_likes or not counts.test:
        raise DataError(
            f"There should be likes {where}. Received: {counts.train_likes:,} to learn "
            f"from and {counts.test:,} to test, from {TIMESTAMP} {counts.first} to "
            f"{counts.last}; choose another `evaluation.split`."
        )
