"""Which pairs are held out for evaluation: a rule, not a draw."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.util import hash_array

from uvcan_tf.errors import DataError

__all__ = [
    "HoldOutReport",
    "hold_out",
    "hold_out_counts",
    "hold_out_ids",
    "hold_out_share",
    "last_of_users",
    "last_share",
]

_ROUNDING: Final = 1e-9  # 0.29 * 100 is 28.999999999999996


def hold_out(
    user_ids: npt.NDArray[Any], video_ids: npt.NDArray[Any], fraction: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Marks each user's floor(fraction * n) pairs of smallest seeded 64-bit hash.

    The answer for a pair depends on the pairs of its user alone: neither on the order
    of the rows nor on how the users are spread over machines.

    Args:
      user_ids: str [P], one pair of user and video a row.
      video_ids: str [P].
      fraction: share of each user's pairs, 0 to 1.
      seed: another seed holds out other pairs.

    Returns:
      bool [P], true for the held-out pairs.
    """
    user, _ = pd.factorize(np.asarray(user_ids, object))
    counts = np.bincount(user)
    wanted = _wanted(counts, fraction)
    return _smallest(user, counts, wanted, _pair_hashes(user_ids, video_ids, seed))


def hold_out_share(
    user_ids: npt.NDArray[Any], video_ids: npt.NDArray[Any], fraction: float, seed: int
) -> npt.NDArray[np.bool_]:
    """As `hold_out`, but rounded over all users: the share of all pairs is `fraction`.

    Rounded down, a tenth of each user's pairs is nothing of most users'. Here n pairs
    of a user give the whole number below or above fraction * n, so that the sum over
    the users, in the order of a seeded hash of their ids, never strays from the share
    by a pair. A user's only pair is never held out, and does not count.

    Args:
      user_ids: str [P], one pair of user and video a row.
      video_ids: str [P].
      fraction: share of the pairs, 0 to 0.5.
      seed: another seed holds out other pairs.

    Returns:
      bool [P], true for the held-out pairs.
    """
    user, users = pd.factorize(np.asarray(user_ids, object))
    counts = np.bincount(user)
    order = np.argsort(_mixed(hash_array(users) ^ _mixed(np.uint64(seed))))
    shares = np.where(counts > 1, counts, 0)[order].cumsum()
    wanted = np.zeros_like(counts)
    wanted[order] = np.diff(_wanted(shares, fraction), prepend=0)
    return _smallest(user, counts, wanted, _pair_hashes(user_ids, video_ids, seed))


def last_share(
    time: npt.NDArray[np.int64], fraction: float
) -> tuple[npt.NDArray[np.bool_], int]:
    """Marks the last pairs, all of one moment together, and says from which moment on.

    About `fraction` of the pairs are held out; none where all have the same time.

    Args:
      time: int64 [P].
      fraction: share of the pairs, 0 to 1.

    Returns:
      bool [P], true for the held-out pairs; and the first time that is held out.
    """
    count = int(_wanted(len(time), fraction))
    never = int(np.iinfo(np.int64).max)
    if not count:
        return np.zeros(len(time), bool), never
    moment = int(np.sort(time)[-count])
    held_out = time >= moment
    return (held_out, moment) if not held_out.all() else (~held_out, never)


def last_of_users(
    user: npt.NDArray[Any], time: npt.NDArray[np.int64], count: int, users: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Marks the last pairs of each user who keeps one, and says since when, by user.

    Of pairs of one moment, those that stand last in the order of the rows count as
    the last.

    Args:
      user: int [P], a number of each pair's user, below `users`.
      time: int64 [P].
      count: how many of each user; those who have no more keep all of theirs.
      users: U, how many numbers of users there are.

    Returns:
      bool [P], true for the held-out pairs; and by number of a user int64 [U], the
      first time that is held out, or the largest number where none is.
    """
    counts = np.bincount(user, minlength=users)
    order = np.lexsort((time, user))
    of_user = user[order]
    from_end = np.cumsum(counts)[of_user] - np.arange(len(order))  # 1: the last one
    held_out = np.zeros(len(user), bool)
    held_out[order] = (from_end <= count) & (counts[of_user] > count)
    first = np.full(users, np.iinfo(np.int64).max)
    np.minimum.at(first, user[held_out], time[held_out])
    return held_out, first


def hold_out_ids(
    ids: npt.NDArray[Any], fraction: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Marks the floor(fraction * n) ids of smallest seeded 64-bit hash.

    For splits that hold out users or videos entirely. The ids should be distinct; their
    order does not matter.

    Args:
      ids: str [n].
      fraction: share of the ids, 0 to 1.
      seed: another seed holds out other ids.

    Returns:
      bool [n], true for the held-out ids.
    """
    hashes = hash_array(np.asarray(ids, object))
    order = np.lexsort((hashes, _mixed(hashes ^ _mixed(np.uint64(seed)))))
    held_out = np.zeros(len(order), bool)
    held_out[order[: int(_wanted(len(order), fraction))]] = True
    return held_out


@dataclasses.dataclass(frozen=True)
class HoldOutReport:
    """What `hold_out` did: how many pairs, and how many users had too few."""

    fraction: float
    users: int
    users_with_too_few: int
    train_pairs: int
    held_out_pairs: int

    @property
    def least_pairs(self) -> int:
        """The fewest pairs of which one is held out."""
        return next(n for n in range(1, 10_001) if _wanted(n, self.fraction) > 0)

    def required(self) -> HoldOutReport:
        """The report itself.

        Raises:
          DataError: nothing is held out, so nothing could be evaluated.
        """
        if not self.held_out_pairs:
            raise DataError(
                f"At least one user should have {self.least_pairs} liked videos, of "
                f"which {self.fraction:.0%} are held out for evaluation. Received: "
                f"none of {self.users:,} users; add likes, or raise "
                "`evaluation.held_out_fraction`."
            )
        return self

    def __str__(self) -> str:
        return (
            f"{self.held_out_pairs:,} of {self.held_out_pairs + self.train_pairs:,} "
            f"pairs held out, {self.fraction:.0%} of each user's, rounded down; "
            f"{self.users_with_too_few:,} of {self.users:,} users have fewer than "
            f"{self.least_pairs} pairs and keep all of them in training."
        )


def hold_out_counts(
    user_ids: npt.NDArray[Any], held_out: npt.NDArray[np.bool_], fraction: float
) -> HoldOutReport:
    """Counts what `hold_out` gave for all pairs of some of the users."""
    user, users = pd.factorize(np.asarray(user_ids, object))
    counts = np.bincount(user, minlength=len(users))
    chosen = int(held_out.sum())
    return HoldOutReport(
        fraction=fraction,
        users=len(users),
        users_with_too_few=int((_wanted(counts, fraction) == 0).sum()),
        train_pairs=len(held_out) - chosen,
        held_out_pairs=chosen,
    )


def _pair_hashes(
    user_ids: npt.NDArray[Any], video_ids: npt.NDArray[Any], seed: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Seeded hashes of the pairs [P], and those of the videos [P] for ties."""
    video_hash = hash_array(np.asarray(video_ids, object))
    user_hash = hash_array(np.asarray(user_ids, object))
    pair_hash = _mixed(user_hash ^ _mixed(video_hash + _mixed(np.uint64(seed))))
    return pair_hash, video_hash


def _smallest(
    user: npt.NDArray[Any],
    counts: npt.NDArray[Any],
    wanted: npt.NDArray[Any],
    hashes: tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]],
) -> npt.NDArray[np.bool_]:
    """Marks each user's wanted number of pairs [P] of smallest hash."""
    pair_hash, video_hash = hashes
    order = np.lexsort((video_hash, pair_hash, user))
    starts = np.cumsum(counts) - counts
    position = np.arange(len(user)) - np.repeat(starts, counts)
    held_out = np.zeros(len(user), bool)
    held_out[order] = position < np.repeat(wanted, counts)
    return held_out


def _wanted(counts: Any, fraction: float) -> npt.NDArray[np.int64]:
    return np.floor(np.asarray(counts) * fraction + _ROUNDING).astype(np.int64)


def _mixed(value: Any) -> Any:
    """SplitMix64's finaliser: every input bit moves half of the output bits."""
    with np.errstate(over="ignore"):
        value = value + np.uint64(0x9E3779B97F4A7C15)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return value ^ (value >> np.uint64(31))
