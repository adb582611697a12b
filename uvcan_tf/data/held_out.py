"""Which interactions are learned from, and which are tested on.

At random, as in the paper, or in time: what came after a moment is then unknown to
training, to the candidates of a test and to whatever ranks by impressions.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from uvcan_tf.data.split import hold_out, hold_out_report, last_of_users
from uvcan_tf.errors import DataError
from uvcan_tf.evaluation_settings import LAST, TIME, EvaluationConfig
from uvcan_tf.features import INTERACTIONS, LABEL, TIMESTAMP, USER_ID, VIDEO_ID

__all__ = ["HeldOut", "split_interactions"]

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


def split_interactions(interactions: pa.Table, config: EvaluationConfig) -> HeldOut:
    """Parts the canonical interactions as `config.split` says.

    Raises:
      DataError: nothing would be tested or nothing learned from, or a split in time
        is asked for and a row has no timestamp.
    """
    liked: _Mask = np.asarray(interactions[LABEL]) == 1
    if config.split == TIME:
        return _by_moment(liked, _times(interactions), config)
    if config.split == LAST:
        user, _ = pd.factorize(np.asarray(interactions[USER_ID], object))
        return _by_user(liked, user, _times(interactions), config)
    user_ids, video_ids = (
        np.asarray(interactions[name], object)[liked] for name in (USER_ID, VIDEO_ID)
    )
    fraction = config.held_out_fraction
    chosen = hold_out(user_ids, video_ids, fraction, config.seed)
    report = hold_out_report(user_ids, chosen, fraction)  # raises where nothing is
    test = np.zeros(len(liked), bool)
    test[np.flatnonzero(liked)[chosen]] = True
    return HeldOut(~test, test, str(report))


def _by_moment(
    liked: _Mask, time: npt.NDArray[np.int64], config: EvaluationConfig
) -> HeldOut:
    """Everything from a moment on is held out; rows of one moment stay together."""
    moment = config.split_at
    if moment is None:
        before = int(np.floor(len(time) * (1 - config.held_out_fraction)))
        moment = int(np.sort(time)[min(before, len(time) - 1)])
    train, test = time < moment, (time >= moment) & liked
    _require(liked & train, test, f"before and from {TIMESTAMP} {moment} on", time)
    report = (
        f"{test.sum():,} of {liked.sum():,} likes held out: those from {TIMESTAMP} "
        f"{moment} on; {(~liked & ~train).sum():,} impressions of that time are left "
        "out."
    )
    return HeldOut(train, test, report)


def _by_user(
    liked: _Mask,
    user: npt.NDArray[Any],
    time: npt.NDArray[np.int64],
    config: EvaluationConfig,
) -> HeldOut:
    """The last likes of each user who keeps at least one; impressions as of then."""
    count = config.last_likes
    users = int(user.max(initial=-1)) + 1
    chosen, first = last_of_users(user[liked], time[liked], count, users)
    test = np.zeros(len(liked), bool)
    test[np.flatnonzero(liked)[chosen]] = True
    train = ~test & (liked | (time < first[user]))
    _require(liked & train, test, f"before and among the last {count} of a user", time)
    report = (
        f"{test.sum():,} of {liked.sum():,} likes held out: the last {count} of each "
        f"user who has more; {(~liked & ~train).sum():,} later impressions are left "
        "out."
    )
    return HeldOut(train, test, report)


def _times(interactions: pa.Table) -> npt.NDArray[np.int64]:
    """int64 [P], whole and there in every row."""
    wanted = f"A split in time needs the column '{TIMESTAMP}' of {INTERACTIONS}"
    if TIMESTAMP not in interactions.column_names:
        raise DataError(
            f"{wanted}. Received: {', '.join(interactions.column_names)}; add it, or "
            "choose `evaluation.split` random."
        )
    column = interactions[TIMESTAMP]
    if column.null_count:
        raise DataError(
            f"{wanted} in every row. Received: {column.null_count} rows without one; "
            "drop them, or choose `evaluation.split` random."
        )
    return np.asarray(column, np.int64)


def _require(train: _Mask, test: _Mask, where: str, time: npt.NDArray[Any]) -> None:
    if not train.any() or not test.any():
        raise DataError(
            f"There should be likes {where}. Received: {train.sum():,} to learn from "
            f"and {test.sum():,} to test, from {TIMESTAMP} {time.min()} to "
            f"{time.max()}; choose another `evaluation.split`."
        )
