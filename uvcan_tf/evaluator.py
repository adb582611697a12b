"""The signature `evaluate`: held-out pairs ranked inside the SavedModel.

Shapes: N examples, S sampled videos.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from uvcan_tf import features as names
from uvcan_tf.catalogue import Catalogue
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.sampling import sampled_candidates

RowsOf = Callable[[str, tf.Tensor], tf.Tensor]


class PairEvaluator(tf.Module):
    """Ranks joined eval rows by the sampled protocol; see `ranking`.

    Args:
      catalogue: rates.
      rows: (name of an id, ids) -> row numbers.
      starts, liked: variables of the training likes by user; see `dataset.Rows`.
      config: number of samples, seed and cutoffs.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        rows: RowsOf,
        starts: tf.Variable,
        liked: tf.Variable,
        config: EvaluationConfig,
    ) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._rows = rows
        self._starts = starts
        self._liked = liked
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
        rank, rivals = tf.map_fn(
            lambda row: self._sampled_rank(*row),
            (users, videos, held_out),
            fn_output_signature=(tf.float32, tf.float32),
            parallel_iterations=4,
        )
        return _pair_metrics(rank, rivals, self._config)

    def _first(self, name: str, ids: tf.SparseTensor) -> tf.Tensor:
        """Row numbers [N] of the first id of each example; one without is unknown."""
        padded = tf.pad(tf.sparse.to_dense(ids), [[0, 0], [0, 1]])  # [N, * + 1]
        return self._rows(name, padded[:, 0])

    def _sampled_rank(
        self, user: tf.Tensor, video: tf.Tensor, held_out: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Rank and number of rivals of one held-out pair; see `sampling`."""
        liked = self._liked[self._starts[user] : self._starts[user + 1]]
        known = tf.concat([liked, held_out, video[None]], axis=0)
        observed = tf.unique(tf.sort(known)).y
        rivals, there = sampled_candidates(
            user[None],
            video[None],
            observed[None],
            self._catalogue.videos,
            self._config.sampled_negatives,
            self._config.seed,
        )
        rivals = tf.minimum(rivals, self._catalogue.videos)
        candidates = tf.concat([video[None], rivals[0]], axis=0)  # [1 + S]
        logits = self._catalogue.rate_some(user, candidates)
        own, rival = logits[0], logits[1:]
        greater = tf.reduce_sum(tf.cast((rival > own) & there[0], tf.float32))
        equal = tf.reduce_sum(tf.cast((rival == own) & there[0], tf.float32))
        return 1.0 + greater + 0.5 * equal, tf.reduce_sum(tf.cast(there, tf.float32))


def _pair_metrics(
    rank: tf.Tensor, rivals: tf.Tensor, config: EvaluationConfig
) -> dict[str, Any]:
    """The per-pair metrics of `metrics.py` as outputs [N]."""
    gain = tf.math.log(2.0) / tf.math.log(rank + 1.0)
    below = 1.0 - (rank - 1.0) / tf.maximum(rivals, 1.0)
    outputs = {
        names.SAMPLED_RANK: rank,
        names.AUC: tf.where(rivals > 0, below, 0.5),
    }
    for k in config.cutoffs:
        hit = tf.cast(rank <= k, tf.float32)
        outputs[names.hr_at(k)] = hit
        outputs[names.ndcg_at(k)] = hit * gain
    return outputs
