"""The signature `evaluate`: held-out pairs ranked inside the SavedModel.

Shapes: N examples, of D users, P of one user, S sampled videos, E observed ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from uvcan_tf import features as names
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.evaluation.candidates import sampled_candidates
from uvcan_tf.evaluation.scorers import SKIPPED

RowsOf = Callable[[str, tf.Tensor], tf.Tensor]
ByUser = tuple[tf.Variable, tf.Variable]


class PairEvaluator(tf.Module):
    """Ranks joined eval rows by the sampled protocol; see `ranking`.

    Args:
      catalogue: rates.
      rows: (name of an id, ids) -> row numbers.
      liked: variables of the training likes by user; see `dataset.Rows`. None where
        the rows themselves tell all videos that are observed.
      skipped: the same of the impressions that rank last, if any do; see
        `SkippedImpressionsLast`.
      config: number of samples, seed and cutoffs.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        rows: RowsOf,
        liked: ByUser | None,
        skipped: ByUser | None,
        config: EvaluationConfig,
    ) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._rows = rows
        self._liked = liked
        self._skipped = skipped
        self._config = config

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name=names.EXAMPLES)],
        autograph=False,
    )
    def evaluate(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Joined eval rows [N] -> each pair's rank among its sampled videos [N]."""
        wanted = (names.USER_ID, names.VIDEO_ID, names.HELD_OUT)
        spec = {name: tf.io.VarLenFeature(tf.string) for name in wanted}
        raw = tf.io.parse_example(examples, spec)
        users, videos = (self._first(name, raw[name]) for name in wanted[:2])
        held_out = self._rows(
            names.VIDEO_ID, tf.sparse.to_dense(raw[names.HELD_OUT])
        )  # [N, *]; padding is the unknown row
        order, bounds = _by_user(users)
        found = tf.map_fn(
            lambda of: self._ranks(
                users[order[of[0]]],
                *(tf.gather(x, order[of[0] : of[1]]) for x in (videos, held_out)),
            ),
            (bounds[:-1], bounds[1:]),
            fn_output_signature=tf.RaggedTensorSpec([None, 2], ragged_rank=0),
            parallel_iterations=4,
        )
        found = tf.reshape(found.values, [-1, 2])  # of no rows, too
        ranks = tf.scatter_nd(order[:, None], found, tf.shape(found))  # [N, 2]
        return _pair_metrics(ranks[:, 0], ranks[:, 1], self._config)

    def _first(self, name: str, ids: tf.SparseTensor) -> tf.Tensor:
        """Row numbers [N] of the first id of each example; one without is unknown."""
        padded = tf.pad(tf.sparse.to_dense(ids), [[0, 0], [0, 1]])  # [N, * + 1]
        return self._rows(name, padded[:, 0])

    def _ranks(
        self, user: tf.Tensor, videos: tf.Tensor, held_out: tf.Tensor
    ) -> tf.Tensor:
        """Rank and number of rivals [P, 2] of a user's pairs [P]; see `candidates`.

        The pairs' samples overlap: each video is rated once.
        """
        pairs = tf.shape(videos)[0]
        known = tf.concat([held_out, videos[:, None]], axis=1)  # [P, E]
        if self._liked is not None:
            liked = tf.repeat(_of(self._liked, user)[None], pairs, axis=0)
            known = tf.concat([liked, known], axis=1)
        rivals, there = sampled_candidates(
            tf.fill([pairs], user),
            videos,
            _distinct(known, self._catalogue.videos + 1),
            self._catalogue.videos,
            self._config.sampled_negatives,
            self._config.seed,
        )
        rivals = tf.minimum(rivals, self._catalogue.videos)
        candidates = tf.concat([videos[:, None], rivals], axis=1)  # [P, 1 + S]
        listed, place = tf.unique(tf.reshape(candidates, [-1]))
        logits = self._catalogue.rate_some(user, listed)
        if self._skipped is not None:
            logits += tf.gather(self._lowered(_of(self._skipped, user)), listed)
        logits = tf.reshape(tf.gather(logits, place), tf.shape(candidates))
        own, rival = logits[:, :1], logits[:, 1:]
        greater, equal, count = (
            tf.reduce_sum(tf.cast(those & there, tf.float32), axis=1)
            for those in (rival > own, rival == own, there)
        )
        return tf.stack([1.0 + greater + 0.5 * equal, count], axis=1)

    def _lowered(self, skipped: tf.Tensor) -> tf.Tensor:
        """[V + 2]: what to add to the logits of every video row of one user."""
        low = tf.fill(tf.shape(skipped), SKIPPED)
        return tf.scatter_nd(skipped[:, None], low, [self._catalogue.videos + 2])


def _of(pairs: ByUser, user: tf.Tensor) -> tf.Tensor:
    """Video rows int32 [*] of one user row."""
    starts, videos = pairs
    return videos[starts[user] : starts[user + 1]]


def _by_user(users: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Positions [N] sorted by user, and where each of the D users' begin [D + 1]."""
    distinct, group = tf.unique(users)
    counts = tf.math.bincount(group, minlength=tf.size(distinct))
    bounds = tf.pad(tf.cumsum(counts), [[1, 0]])
    return tf.argsort(group, stable=True), bounds


def _distinct(known: tf.Tensor, fill: int) -> tf.Tensor:
    """Each row of [P, E] ascending and without repeats, its end filled up."""
    ascending = tf.sort(known, axis=1)
    again = tf.pad(ascending[:, 1:] == ascending[:, :-1], [[0, 0], [1, 0]])
    return tf.sort(tf.where(again, fill, ascending), axis=1)


def _pair_metrics(
    rank: tf.Tensor, rivals: tf.Tensor, config: EvaluationConfig
) -> dict[str, Any]:
    """The per-pair metrics of `metrics.py` as outputs [N]; NaN without rivals."""
    gain = tf.math.log(2.0) / tf.math.log(rank + 1.0)
    outputs = {names.AUC: 1.0 - (rank - 1.0) / rivals}
    for k in config.cutoffs:
        hit = tf.cast(rank <= k, tf.float32)
        outputs[names.hr_at(k)] = hit
        outputs[names.ndcg_at(k)] = hit * gain
    measured = {
        name: tf.where(rivals > 0, output, float("nan"))
        for name, output in outputs.items()
    }
    return {names.SAMPLED_RANK: rank, **measured}
