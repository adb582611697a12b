"""The loss of large batches and its gradients, by XLA, a block of pairs at a time.

XLA fuses the many small operations around the matrix products, a block's intermediate
results fit a cache, and all cores work on blocks of their own. Embeddings are looked up
outside: XLA is slow at adding up the gradients of repeated rows.

Shapes: B pairs, padded to whole blocks; P pairs of a block; C candidate videos of a
pair, the observed one first; K factors; W numbers in all weights but the embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from uvcan_tf.config import TrainingConfig
from uvcan_tf.model.losses import cross_entropies, embedding_l2_by_pair
from uvcan_tf.network.co_attention import CoAttentionNetwork
from uvcan_tf.network.facets import DistinctVectors, FacetValues

WORTHWHILE_FROM = 512  # pairs a step
_PAIRS_A_BLOCK = 512  # at most


class Inputs(NamedTuple):
    """All that the network needs of users, or of videos, [B, C or 1, ...] each.

    added: of videos, what is added to the logits, [B, C], if anything is.
    """

    facets: tuple[FacetValues, ...]
    added: tuple[tf.Tensor, ...] = ()


class BlockedLoss:
    """Mean cross-entropy of equation (5), and L2 of the embeddings looked up.

    Args:
      network: built.
      training: of the loss. Steps of fewer pairs than `batch_size` cost as much.
      product: whether the history's product counts, where the network has one.

    Call: user columns [B, C=1, ...] and video columns [B, C, ...] -> a scalar, the same
      as by the network's own `rate`, to rounding; so are its gradients.
    """

    def __init__(
        self,
        network: CoAttentionNetwork,
        training: TrainingConfig,
        product: bool = True,
    ) -> None:
        self._network = network
        self._product = product
        pairs = training.batch_size
        self._blocks = 2 * -(-pairs // (2 * _PAIRS_A_BLOCK))  # even, for two cores
        self._pairs_a_block = -(-pairs // self._blocks)
        self._l2 = training.l2
        self._softmax = training.softmax
        self._embeddings = network.user_embedding, network.video_embedding
        tables = {x.ref() for layer in self._embeddings for x in layer.weights}
        if network.history:
            tables |= {x.ref() for x in network.liked_videos.weights}
        self._weights = [
            x for x in network.trainable_variables if x.ref() not in tables
        ]
        self._sizes = [x.shape.num_elements() for x in self._weights]
        self._compiled = tf.function(self._of_block, autograph=False, jit_compile=True)

    def __call__(
        self, user: Mapping[str, Any], video: Mapping[str, Any], correction: tf.Tensor
    ) -> tf.Tensor:
        pairs = tf.shape(next(iter(user.values())))[0]
        spare = self._blocks * self._pairs_a_block - pairs
        user_inputs, video_inputs = (
            Inputs(
                embedding.look_up(_padded(columns, spare)),
            )
            for embedding, columns in zip(self._embeddings, (user, video), strict=True)
        )
        added = self._network.history_products(user, video) if self._product else ()
        video_inputs = video_inputs._replace(
            added=tuple(_longer(x, spare) for x in added)
        )
        share = tf.fill([pairs], 1 / tf.cast(pairs, tf.float32))
        rest = (_longer(correction, spare), _longer(share, spare))
        return self._of_batch(user_inputs, video_inputs, *rest)

    def _of_batch(self, user: Inputs, video: Inputs, *rest: tf.Tensor) -> tf.Tensor:
        """The loss as a function of what was looked up, gradients included."""

        @tf.custom_gradient
        def loss(*values: tf.Tensor) -> Any:
            inputs = _with(values, user, video)
            blocks = tf.nest.map_structure(self._in_blocks, [*inputs, *rest])
            done = [
                self._compiled(*tf.nest.map_structure(lambda x, i=i: x[i], blocks))
                for i in range(self._blocks)
            ]
            total, of_values, of_weights = tf.nest.map_structure(
                lambda *parts: tf.stack(parts), *done
            )
            of_values = [
                tf.reshape(g, tf.shape(x))
                for g, x in zip(of_values, values, strict=True)
            ]

            def gradient(upstream: tf.Tensor, variables: Any = ()) -> Any:
                of = self._by_weight(tf.reduce_sum(of_weights, axis=0))
                return (
                    [upstream * g for g in of_values],
                    [upstream * of[x.ref()] for x in variables],
                )

            return tf.reduce_sum(total), gradient

        return loss(*_values(user, video))

    def _in_blocks(self, x: tf.Tensor) -> tf.Tensor:
        """[B, ...] -> [B / P, P, ...]."""
        return tf.reshape(x, [self._blocks, self._pairs_a_block, *x.shape[1:]])

    def _of_block(self, user: Inputs, video: Inputs, *rest: tf.Tensor) -> Any:
        """A block's part of the loss, and its gradients by values and weights [W]."""
        values = _values(user, video)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([*values, *self._weights])
            user, video = _with(values, user, video)
            loss = self._loss(user, video, *rest)
        gradients = tape.gradient(
            loss, [*values, *self._weights], unconnected_gradients="zero"
        )
        of_weights = [tf.reshape(g, [-1]) for g in gradients[len(values) :]]
        return loss, gradients[: len(values)], tf.concat(of_weights, axis=0)

    def _loss(
        self,
        user: Inputs,
        video: Inputs,
        correction: tf.Tensor,
        share: tf.Tensor,
    ) -> tf.Tensor:
        network = self._network
        X_u, X_v = (
            embedding.join(inputs.facets)
            for embedding, inputs in zip(self._embeddings, (user, video), strict=True)
        )
        logits = network.rate(
            network.user_of_facets(X_u), network.video_of_facets(X_v)
        ).logits  # [P, C]
        logits = tf.add_n([logits, *video.added])
        wrong = cross_entropies(logits - correction, self._softmax)  # [P, C or 1]
        if self._l2:
            wrong += embedding_l2_by_pair(X_u.X, X_v.X, self._l2)
        return tf.reduce_sum(share * tf.reduce_mean(wrong, axis=1))

    def _by_weight(self, flat: tf.Tensor) -> dict[Any, tf.Tensor]:
        """The gradient of each weight from those of all, [W]."""
        parts = tf.split(flat, self._sizes)
        return {
            x.ref(): tf.reshape(part, x.shape)
            for x, part in zip(self._weights, parts, strict=True)
        }


def _values(user: Inputs, video: Inputs) -> list[tf.Tensor]:
    of_facets = [x.values for inputs in (user, video) for x in inputs.facets]
    return [*of_facets, *video.added]


def _with(values: Sequence[tf.Tensor], *inputs: Inputs) -> list[Inputs]:
    """The same inputs with other values."""
    left = iter(values)
    facets = [
        tuple(FacetValues(next(left), x.there) for x in old.facets) for old in inputs
    ]
    return [
        Inputs(of, tuple(next(left) for _ in old.added))
        for of, old in zip(facets, inputs, strict=True)
    ]


def _longer(x: tf.Tensor, spare: tf.Tensor) -> tf.Tensor:
    """Zeros after the first axis: an absent value, or a pair that does not count."""
    return tf.pad(x, [[0, spare], *[[0, 0]] * (len(x.shape) - 1)])


def _padded(columns: Mapping[str, Any], spare: tf.Tensor) -> dict[str, Any]:
    return {
        name: column._replace(position=_longer(column.position, spare))
        if isinstance(column, DistinctVectors)
        else _longer(column, spare)
        for name, column in columns.items()
    }
