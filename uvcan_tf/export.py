"""The SavedModel: five signatures over one frozen catalogue.

Shapes: N examples, B users, C candidates, V videos, X excluded videos, S samples,
M and N facets of a video and a user.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from uvcan_tf import features as names
from uvcan_tf.catalogue import Catalogue
from uvcan_tf.config import Config, EvaluationConfig
from uvcan_tf.dataset import Dataset, Rows, Side
from uvcan_tf.encoding import Encoded, Raw, VocabularyLookup, encode, raw_spec
from uvcan_tf.features import Features
from uvcan_tf.model import UVCAN, identity_column
from uvcan_tf.sampling import sampled_candidates

Transform = Callable[[Raw], Encoded]


def export(
    model: UVCAN, dataset: Dataset, transform: Transform, config: Config, folder: Path
) -> None:
    """Writes the SavedModel.

    Args:
      model: as trained.
      dataset: all training pairs, the validation ones included: `recommend` leaves
        them out.
      transform: a trackable that encodes raw features as `encoding.encode` does.
      config: `evaluation` fixes the protocol of the signature `evaluate`.
      folder: created.
    """
    module = Recommender(model, dataset, transform, config.evaluation)
    signatures = {
        names.SERVING_DEFAULT: module.score_examples,
        names.RANK: module.rank,
        names.RECOMMEND: module.recommend,
        names.EXPLAIN: module.explain,
        names.EVALUATE: module.evaluate,
    }
    tf.saved_model.save(module, str(folder), signatures=signatures)


class LookupTransform(tf.Module):
    """The transform of a model trained without a pipeline."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__()
        self._features = dataset.features
        self._lookup = VocabularyLookup(
            {
                **dataset.vocabularies,
                names.USER_ID: dataset.users.ids,
                names.VIDEO_ID: dataset.videos.ids,
            }
        )

    def __call__(self, raw: Raw) -> Encoded:
        return encode(self._features, raw, self._lookup)


class Recommender(tf.Module):
    """What is saved: the catalogue, the ids, who liked what, and the transform."""

    def __init__(
        self,
        model: UVCAN,
        dataset: Dataset,
        transform: Transform,
        config: EvaluationConfig,
    ) -> None:
        super().__init__()
        self._features: Features = dataset.features
        self._config = config
        self._transform = transform
        self._catalogue = Catalogue(model)
        self._call = model.network.call
        self._lookup = VocabularyLookup(
            {
                names.USER_ID: dataset.users.ids,
                names.VIDEO_ID: dataset.videos.ids,
            }
        )
        self._video_ids = tf.Variable(_names_of(dataset.videos), trainable=False)
        trained = model.dataset
        self._identities = {
            names.USER_ID: _fixed(identity_column(trained.trained_users)),
            names.VIDEO_ID: _fixed(identity_column(trained.trained_videos)),
        }
        liked: Rows = dataset.train.by_user(dataset.users.size)
        self._starts = _fixed(liked.starts)
        self._liked = _fixed(liked.videos)

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name=names.EXAMPLES)],
        autograph=False,
    )
    def score_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw `tf.Example`s [N] -> score [N], from the features alone."""
        raw = tf.io.parse_example(examples, raw_spec(self._features))
        columns = self._columns(self._transform(raw))
        user = {name: columns[name][:, None] for name in self._features.user_facets}
        video = {name: columns[name][:, None] for name in self._features.video_facets}
        return {names.SCORE: tf.sigmoid(self._call(user, video).logits[:, 0])}

    def _columns(self, encoded: Encoded) -> dict[str, tf.Tensor]:
        dense = {
            name: tf.sparse.to_dense(column)
            if isinstance(column, tf.SparseTensor)
            else column
            for name, column in encoded.items()
        }
        known = {
            name: tf.gather(i, dense[name]) for name, i in self._identities.items()
        }
        return {**dense, **known}

    def _rows(self, name: str, ids: tf.Tensor) -> tf.Tensor:
        """Row numbers of ids of any shape; an unknown id is the unknown row."""
        return tf.cast(self._lookup(name, ids), tf.int32) + 1

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name=names.USER_ID),
            tf.TensorSpec([None, None], tf.string, name=names.VIDEO_IDS),
        ],
        autograph=False,
    )
    def rank(self, user_id: tf.Tensor, video_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """User ids [B], video ids [B, C] -> score [B, C]."""
        rated = self._catalogue.rate(
            self._rows(names.USER_ID, user_id), self._rows(names.VIDEO_ID, video_ids)
        )
        return {names.SCORE: tf.sigmoid(rated.logits)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name=names.USER_ID),
            tf.TensorSpec([], tf.int32, name=names.K),
            tf.TensorSpec([None, None], tf.string, name=names.EXCLUDE_VIDEO_IDS),
        ],
        autograph=False,
    )
    def recommend(
        self,
        user_id: tf.Tensor,
        k: tf.Tensor = tf.constant(10),  # noqa: B008  (the signature's default; only tensors are saved)
        exclude_video_ids: tf.Tensor = tf.constant([], tf.string, shape=[0, 0]),  # noqa: B008  (the signature's default)
    ) -> dict[str, tf.Tensor]:
        """The best k of the whole catalogue [B, k], without liked and excluded ones.

        Rows that run out of videos end in "" with the score -inf.
        """
        users = self._rows(names.USER_ID, user_id)
        excluded = self._rows(names.VIDEO_ID, exclude_video_ids)  # [B, X]
        places = tf.where(excluded <= self._catalogue.videos)  # [*, 2]
        places = tf.stack(
            [tf.cast(places[:, 0], tf.int32), tf.gather_nd(excluded, places) - 1], 1
        )
        hidden = tf.concat([self._liked_places(users), places], axis=0)
        logits = self._catalogue.rate_all(users)  # [B, V]
        lowest = tf.fill(tf.shape(hidden)[:1], logits.dtype.min)
        logits = tf.tensor_scatter_nd_update(logits, hidden, lowest)
        k = tf.clip_by_value(k, 0, self._catalogue.videos)
        best, index = tf.math.top_k(logits, k)
        there = best > logits.dtype.min
        ids = tf.gather(self._video_ids, index + 1)
        return {
            names.VIDEO_IDS: tf.where(there, ids, ""),
            names.SCORE: tf.where(there, tf.sigmoid(best), -float("inf")),
        }

    def _liked_places(self, users: tf.Tensor) -> tf.Tensor:
        """int32 [*, 2]: (position in the batch, column) of every liked video."""
        starts, ends = (
            tf.gather(self._starts, users),
            tf.gather(self._starts, users + 1),
        )
        liked = tf.ragged.range(starts, ends)
        columns = tf.gather(self._liked, liked.values) - 1
        return tf.stack([tf.cast(liked.value_rowids(), tf.int32), columns], axis=1)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name=names.USER_ID),
            tf.TensorSpec([None], tf.string, name=names.VIDEO_ID),
        ],
        autograph=False,
    )
    def explain(self, user_id: tf.Tensor, video_id: tf.Tensor) -> dict[str, tf.Tensor]:
        """Ids [B] -> each hop's attention [B, M hops, facets], names and score."""
        users = self._rows(names.USER_ID, user_id)
        rated = self._catalogue.rate(
            users, self._rows(names.VIDEO_ID, video_id)[:, None]
        )
        batch, user_facets = tf.shape(users)[0], self._features.user_facets
        nothing = tf.zeros([batch, 0, len(user_facets)])  # of Video-Att
        return {
            names.VIDEO_ATTENTION: tf.concat(rated.video_attention, axis=1),
            names.USER_ATTENTION: tf.concat([nothing, *rated.user_attention], axis=1),
            names.VIDEO_FACETS: tf.constant(self._features.video_facets),
            names.USER_FACETS: tf.constant(user_facets),
            names.SCORE: tf.sigmoid(rated.logits[:, 0]),
        }

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name=names.EXAMPLES)],
        autograph=False,
    )
    def evaluate(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Joined eval rows [N] -> each pair's rank among its sampled videos [N]."""
        wanted = (names.USER_ID, names.VIDEO_ID, names.HELD_OUT)
        spec = {name: tf.io.VarLenFeature(tf.string) for name in wanted}
        raw = tf.io.parse_example(examples, spec)
        one = tf.shape(examples)[0]
        users, videos = (
            self._rows(n, tf.reshape(tf.sparse.to_dense(raw[n]), [one]))
            for n in wanted[:2]
        )
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
        candidates = tf.concat([video[None, None], rivals], axis=1)  # [1, 1 + S]
        logits = self._catalogue.rate(user[None], candidates).logits[0]
        own, rival = logits[0], logits[1:]
        greater = tf.reduce_sum(tf.cast((rival > own) & there[0], tf.float32))
        equal = tf.reduce_sum(tf.cast((rival == own) & there[0], tf.float32))
        return 1.0 + greater + 0.5 * equal, tf.reduce_sum(tf.cast(there, tf.float32))


def _pair_metrics(
    rank: tf.Tensor, rivals: tf.Tensor, config: EvaluationConfig
) -> dict[str, tf.Tensor]:
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


def _names_of(side: Side) -> Any:
    return tf.constant(["", *side.ids, ""], tf.string)


def _fixed(array: Any) -> tf.Variable:
    return tf.Variable(array, trainable=False)
