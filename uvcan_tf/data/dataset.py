"""Encoded tables in memory, as training, evaluation and export use them.

Row numbers of either side: 0 is "missing", 1..n are the rows of the table, n+1 is
"unknown". Shapes: n rows of a table, L values of a multivalued feature, D length of a
dense one, P pairs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from uvcan_tf.evaluation_settings import LAST, EvaluationConfig
from uvcan_tf.features import Features

IntArray = npt.NDArray[np.int32]
StringArray = npt.NDArray[np.object_]
_NEVER = np.iinfo(np.int64).max


@dataclasses.dataclass(frozen=True)
class Side:
    """One table, encoded.

    Attributes:
      ids: str [n]; the id of row i is ids[i - 1].
      columns: by feature, int32 [n+2], int32 [n+2, L] padded with 0, or float32
        [n+2, D]; rows 0 and n+1 are zeros: nothing is known of them.
    """

    ids: StringArray
    columns: Mapping[str, npt.NDArray[np.generic]]

    @property
    def size(self) -> int:
        """n, the number of known rows."""
        return len(self.ids)

    @property
    def unknown(self) -> int:
        """The row number that stands for any unknown id."""
        return len(self.ids) + 1

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            if len(column) != self.size + 2:
                raise ValueError(
                    f"Column '{name}' should have {self.size + 2} rows: missing, "
                    f"{self.size} known, unknown. Received: {len(column)}."
                )


@dataclasses.dataclass(frozen=True)
class Pairs:
    """User-video pairs as row numbers, int32 [P] each.

    `time` is int64 [P], milliseconds since 1970, where pairs are held out in time, and
    None where they are held out at random.
    """

    user: IntArray
    video: IntArray
    time: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.user)

    def where(self, mask: npt.NDArray[np.bool_]) -> Pairs:
        """The pairs that the mask [P] selects."""
        time = None if self.time is None else self.time[mask]
        return Pairs(self.user[mask], self.video[mask], time)

    def of_some_users(self, users: int | None, seed: int) -> Pairs:
        """The pairs of at most so many users, drawn by seed."""
        distinct = np.unique(self.user)
        if users is None or len(distinct) <= users:
            return self
        some = np.random.default_rng(seed).choice(distinct, users, replace=False)
        return self.where(np.isin(self.user, some))

    def __add__(self, other: Pairs) -> Pairs:
        timed = self.time is not None and other.time is not None
        return Pairs(
            np.concatenate([self.user, other.user]),
            np.concatenate([self.video, other.video]),
            np.concatenate([self.time, other.time]) if timed else None,
        )

    def by_user(self, users: int) -> Rows:
        """The same pairs grouped by user, each user's videos in ascending order."""
        stride = int(self.video.max(initial=0)) + 1
        keys = np.sort(self.user.astype(np.int64) * stride + self.video)
        starts = np.searchsorted(keys, np.arange(users + 3) * stride)
        return Rows(starts.astype(np.int64), (keys % stride).astype(np.int32))


NO_PAIRS = Pairs(np.empty(0, np.int32), np.empty(0, np.int32))


@dataclasses.dataclass(frozen=True)
class Rows:
    """Videos by user row, compressed: user u has videos[starts[u]:starts[u + 1]]."""

    starts: npt.NDArray[np.int64]
    videos: IntArray

    def of(self, user: int) -> IntArray:
        """The videos of one user row, ascending."""
        return self.videos[self.starts[user] : self.starts[user + 1]]

    def padded(self, users: IntArray, fill: int) -> IntArray:
        """int32 [B, longest]: each user's videos, the rest `fill`."""
        starts, ends = self.starts[users], self.starts[np.asarray(users) + 1]
        width = int((ends - starts).max(initial=0))
        positions = starts[:, None] + np.arange(width)  # [B, longest]
        inside = positions < ends[:, None]
        if not len(self.videos):
            return np.full((len(users), 0), fill, np.int32)
        safe = np.minimum(positions, len(self.videos) - 1)
        return np.where(inside, self.videos[safe], fill).astype(np.int32)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Everything a model is trained and evaluated on.

    Attributes:
      features: the declaration.
      users, videos: the two tables.
      vocabularies: known values of each categorical feature (ids apart), and names of
        the buckets of numbers.
      train: the observed pairs to learn from.
      test: the held-out pairs.
      impressions: pairs that were shown and not liked (label 0), where the data has
        them.
      scales: of numeric features, where no pipeline keeps them; see `numbers.scale_of`.

    >>> dataset.features.user_facets
    ('user_id', 'gender', 'place')
    >>> len(dataset.train), len(dataset.test)
    (17, 4)
    """

    features: Features
    users: Side
    videos: Side
    vocabularies: Mapping[str, StringArray]
    train: Pairs
    test: Pairs = NO_PAIRS
    impressions: Pairs = NO_PAIRS
    scales: Mapping[str, npt.NDArray[np.float32]] = dataclasses.field(
        default_factory=dict
    )

    @property
    def trained_users(self) -> npt.NDArray[np.bool_]:
        """bool [n+2]: whether a user row has a pair to learn from."""
        return _occurs(self.train.user, self.users.size)

    @property
    def trained_videos(self) -> npt.NDArray[np.bool_]:
        """bool [n+2]: whether a video row has a pair to learn from."""
        return _occurs(self.train.video, self.videos.size)

    def hold_out_validation(
        self,
        fraction: float,
        seed: int,
        evaluation: EvaluationConfig,
        users: int | None = None,
    ) -> Dataset:
        """The same data with a share of all training pairs as the test set.

        It is chosen as the test set was. At random: a share of each user's pairs. In
        time: the last share of all pairs. By the last likes of each user: those before
        them, of all users or of as many, drawn by a seeded hash, as make the share. In
        the last two, what was shown from then on and not liked is left out.

        Args:
          fraction: share of the pairs, 0 to 1.
          seed: of the draws.
          evaluation: how the test set was chosen.
          users: the test set has the pairs of so many users at most, drawn by seed.
            All others keep theirs in training, unless these would tell of the time
            that the test set is from.
        """
        held_out, since = self._held_out(fraction, seed, evaluation)
        asked = self.train.where(held_out).of_some_users(users, seed)
        train, shown = self.train.where(~held_out), self.impressions
        if self.train.time is None or evaluation.split == LAST:
            others = ~np.isin(self.train.user, asked.user)
            train += self.train.where(held_out & others)
            since[np.setdiff1d(np.arange(len(since)), asked.user)] = _NEVER
        if shown.time is not None:
            shown = shown.where(shown.time < since[shown.user])
        return dataclasses.replace(self, train=train, test=asked, impressions=shown)

    def _held_out(
        self, fraction: float, seed: int, evaluation: EvaluationConfig
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Marks training pairs [P], and tells since when by user row, int64 [n+2]."""
        from uvcan_tf.data.split import (
            hold_out_ids,
            hold_out_share,
            last_of_users,
            last_share,
        )

        user, time, ids = self.train.user, self.train.time, self.users.ids
        rows = self.users.size + 2
        if time is None:
            videos = self.videos.ids[self.train.video - 1]
            held_out = hold_out_share(ids[user - 1], videos, fraction, seed)
            return held_out, np.full(rows, _NEVER)
        if evaluation.split != LAST:
            held_out, moment = last_share(time, fraction)
            return held_out, np.full(rows, moment)
        held_out, since = last_of_users(user, time, evaluation.last_likes, rows)
        users = np.unique(user[held_out])
        share = min(1.0, fraction * len(user) / max(1, held_out.sum()))
        chosen = np.zeros(rows, bool)
        chosen[users[hold_out_ids(ids[users - 1], share, seed)]] = True
        return held_out & chosen[user], np.where(chosen, since, _NEVER)


def _occurs(rows: IntArray, size: int) -> npt.NDArray[np.bool_]:
    occurs = np.zeros(size + 2, bool)
    occurs[rows] = True
    return occurs
