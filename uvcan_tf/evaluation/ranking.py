"""Ranks of held-out pairs: the paper's sampled protocol and the whole catalogue.

One pass over blocks of users gives both, so memory stays flat and every method meets
the same candidates. Shapes: B users of a block, V videos, P held-out pairs, S samples.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.dataset import Dataset, IntArray, Pairs, Rows
from uvcan_tf.evaluation import metrics
from uvcan_tf.evaluation.candidates import sampled_candidates
from uvcan_tf.evaluation.scorers import Scorer
from uvcan_tf.terminal.progress import Progress
from uvcan_tf.threads import in_threads

SAMPLED: Final = "sampled"
FULL: Final = "full"

_SCORES_AT_ONCE = 1 << 22  # floats of one block: 16 MB
_RIVALS_AT_ONCE = 1 << 19  # of one thread: some 10 MB in all


class Ranked(NamedTuple):
    """Of each held-out pair: its rank and the number of its rivals, float [P]."""

    rank: metrics.FloatArray
    rivals: metrics.FloatArray


@dataclasses.dataclass(frozen=True)
class Ranks:
    """Held-out pairs ranked under one or both protocols."""

    pairs: Pairs
    by_protocol: Mapping[str, Ranked]

    def summary(self, cutoffs: tuple[int, ...]) -> dict[str, dict[str, float]]:
        """Means of all metrics by protocol; see `metrics.summary`."""
        return {
            protocol: metrics.summary(*ranked, self.pairs.user, cutoffs)
            for protocol, ranked in self.by_protocol.items()
        }


class ScoreError(ValueError):
    """Scores that cannot be ranked."""


def rank_pairs(
    scorer: Scorer,
    dataset: Dataset,
    config: EvaluationConfig,
    protocols: tuple[str, ...] = (SAMPLED, FULL),
    progress: Progress | None = None,
) -> Ranks:
    """Ranks each pair of `dataset.test` for its user.

    Both protocols leave out the user's training videos. The sampled one draws rivals
    from the videos that are neither in training nor held out for that user; the full
    one ranks against every other video, the user's other held-out ones included.

    Args:
      scorer: the method.
      dataset: with `train` and `test`.
      config: number of samples and seed.
      protocols: which of `SAMPLED` and `FULL` to measure.
      progress: told of every block of users.
    """
    videos = dataset.videos.size
    order = np.argsort(dataset.test.user, kind="stable")
    pairs = Pairs(dataset.test.user[order], dataset.test.video[order])
    seen, observed = _known(dataset)
    results = {protocol: np.empty([2, len(pairs)]) for protocol in protocols}
    for some, inside in _blocks(pairs.user, max(1, _SCORES_AT_ONCE // videos)):
        part = Pairs(pairs.user[inside], pairs.video[inside])
        scores = _checked(scorer.scores(some), some, videos)
        row = np.searchsorted(some, part.user).astype(np.int32)
        if SAMPLED in results:
            results[SAMPLED][:, inside] = _sampled(scores, row, part, observed, config)
        if FULL in results:
            results[FULL][:, inside] = _full(scores, row, part, seen, some)
        if progress is not None:
            progress.advance(len(some))
    back = np.argsort(order)
    ranked = {name: Ranked(*result[:, back]) for name, result in results.items()}
    return Ranks(dataset.test, ranked)


def _known(dataset: Dataset) -> tuple[Rows, Rows]:
    """Videos in training, and all observed ones, of users with held-out pairs."""
    users = dataset.users.size
    wanted = np.isin(np.arange(users + 2), dataset.test.user)
    trained = dataset.train.where(wanted[dataset.train.user])
    return trained.by_user(users), (trained + dataset.test).by_user(users)


def _blocks(user: IntArray, size: int) -> Iterator[tuple[IntArray, slice]]:
    """Distinct users, so many at a time, and where their pairs lie in `user` [P]."""
    distinct, first = np.unique(user, return_index=True)
    bounds = np.append(first, len(user))
    for start in range(0, len(distinct), size):
        end = min(start + size, len(distinct))
        yield distinct[start:end], slice(bounds[start], bounds[end])


def _checked(
    scores: npt.NDArray[np.float32], users: IntArray, videos: int
) -> npt.NDArray[np.float32]:
    if scores.shape != (len(users), videos):
        raise ScoreError(
            f"Scores should be [{len(users)}, {videos}]. Received: {scores.shape}."
        )
    if np.isnan(scores).any():
        row = int(users[np.isnan(scores).any(axis=1).argmax()])
        raise ScoreError(f"Scores should be numbers. Received: NaN for user row {row}.")
    return scores


def _full(
    scores: npt.NDArray[np.float32],
    row: IntArray,
    part: Pairs,
    seen: Rows,
    users: IntArray,
) -> tuple[metrics.FloatArray, metrics.FloatArray]:
    """Rank and rivals [P] among all videos that the user has not seen."""
    open_to = scores.copy()
    for number, user in enumerate(users):
        open_to[number, seen.of(user) - 1] = -np.inf
    open_to.sort(axis=1)
    own = scores[row, part.video - 1]
    least, most = np.empty(len(own)), np.empty(len(own))
    bounds = np.searchsorted(row, np.arange(len(users) + 1))
    for number, ascending in enumerate(open_to):
        mine = slice(bounds[number], bounds[number + 1])
        least[mine] = np.searchsorted(ascending, own[mine], "left")
        most[mine] = np.searchsorted(ascending, own[mine], "right")
    greater, equal = scores.shape[1] - most, most - least
    degree = np.array([len(seen.of(user)) for user in users])
    rivals = scores.shape[1] - degree[row] - 1.0
    return metrics.middle_rank(greater, equal - 1.0), rivals


def _sampled(
    scores: npt.NDArray[np.float32],
    row: IntArray,
    part: Pairs,
    observed: Rows,
    config: EvaluationConfig,
) -> tuple[metrics.FloatArray, metrics.FloatArray]:
    """Rank and rivals [P] among the sampled videos."""
    videos = scores.shape[1]
    ranks = np.empty([2, len(part)])
    step = max(1, _RIVALS_AT_ONCE // config.sampled_negatives)

    def fill(start: int) -> None:
        some = slice(start, start + step)
        user, video = part.user[some], part.video[some]
        rivals, there = candidates_of(user, video, observed, videos, config)
        rival = scores[row[some, None], np.minimum(rivals, videos) - 1]
        own = scores[row[some], video - 1][:, None]
        greater = ((rival > own) & there).sum(axis=1)
        equal = ((rival == own) & there).sum(axis=1)
        ranks[0, some] = metrics.middle_rank(greater, equal)
        ranks[1, some] = there.sum(axis=1)

    in_threads(fill, range(0, len(part), step))
    return ranks[0], ranks[1]


def candidates_of(
    user: IntArray,
    video: IntArray,
    observed: Rows,
    videos: int,
    config: EvaluationConfig,
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """The sampled rivals [P, S] of held-out pairs, and which of them exist."""
    rivals, there = _candidates(
        tf.constant(user, tf.int32),
        tf.constant(video, tf.int32),
        tf.constant(observed.padded(user, videos + 1)),
        tf.constant(videos),
        config.sampled_negatives,
        config.seed,
    )
    return rivals.numpy(), there.numpy()


_candidates = tf.function(sampled_candidates, reduce_retracing=True, autograph=False)
