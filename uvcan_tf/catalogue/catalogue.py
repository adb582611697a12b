"""Exact scores over a whole catalogue, from representations computed once per model.

Shapes: B users, C candidate videos or videos of a block, V videos, N and M facets, K
factors, R rows.
"""

from __future__ import annotations

import itertools
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.catalogue.block_rating import BlockRating, PreparedUser, VideoBlock
from uvcan_tf.catalogue.blocks import BlockSize, of_this_process
from uvcan_tf.catalogue.compiled_rating import USERS_AT_ONCE, CompiledRating
from uvcan_tf.data.dataset import Dataset, IntArray
from uvcan_tf.network.co_attention import CoAttentionNetwork
from uvcan_tf.network.facets import Facets
from uvcan_tf.network.representations import (
    Rated,
    UserRepresentation,
    VideoRepresentation,
)
from uvcan_tf.threads import in_threads

_ROWS_AT_ONCE = 8192

_VideoFacets = tuple[Facets, tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]


class Representing(Protocol):
    """A model of which a catalogue takes the representations of every row."""

    dataset: Dataset
    network: CoAttentionNetwork

    def represent_users(self, users: tf.Tensor) -> UserRepresentation:
        """Of user rows int32 [R]."""
        ...

    def represent_videos(self, videos: tf.Tensor) -> VideoRepresentation:
        """Of video rows int32 [R]."""
        ...


class Catalogue(tf.Module):
    """A trained network with the representation of every known row already computed.

    Args:
      model: its weights are copied as they are now; `refresh` copies them again.
      size: of the blocks; by default what suits the device of this process.

    Row 0 (missing) and row n+1 (unknown) of either table are scored like any other.
    """

    def __init__(self, model: Representing, size: BlockSize | None = None) -> None:
        super().__init__()
        size = size or of_this_process()
        self._rows_at_once = size.part
        # Plain variables and bound methods: nothing of Keras, no raw table and no
        # optimiser comes along when this module is saved.
        self._rate = model.network.rate
        self._video_of_facets = model.network.video_of_facets
        self._weights = list(model.network.weights)
        self._rating = BlockRating(model.network)
        self.logits = self._rating.logits
        self.user_factors = self._rating.user_factors
        self.users, self.videos = model.dataset.users.size, model.dataset.videos.size
        self._blocks = -(-self.videos // size.videos)
        self._block = -(-self.videos // self._blocks)
        self._user = _empty(model.represent_users(tf.constant([0])), self.users + 2)
        of_block = _facets(model, tf.zeros([self._block], tf.int32))
        self._facets = _empty(of_block, 2 + self._blocks * self._block)
        block = tf.nest.map_structure(lambda x: x[None], self._rating.block(*of_block))
        self._video = _empty(block, self._blocks)
        self._compiled = CompiledRating(self, size.part)
        self.refresh(model)

    def refresh(self, model: Representing) -> None:
        """Computes all representations anew from the model's weights."""
        for start in range(0, self.users + 2, _ROWS_AT_ONCE):
            rows = tf.range(start, min(start + _ROWS_AT_ONCE, self.users + 2))
            _put(self._user, rows, model.represent_users(rows))
        for number in range(self._blocks):
            rows = 1 + number * self._block + tf.range(self._block)
            found = _facets(model, tf.minimum(rows, self.videos + 1))
            _put(self._facets, rows, found)
            block = self._rating.block(*found)
            block = tf.nest.map_structure(lambda x: x[None], block)
            _put(self._video, tf.constant([number]), block)
        unlisted = tf.constant([0, self.videos + 1])
        _put(self._facets, unlisted, _facets(model, unlisted))

    def user_representation(self, users: tf.Tensor) -> UserRepresentation:
        """Of user rows int [...]."""
        return tf.nest.map_structure(lambda part: tf.gather(part, users), self._user)

    def video_representation(self, videos: tf.Tensor) -> VideoRepresentation:
        """Of video rows int [...]."""
        return self._video_of_facets(*self._facets_of(videos))

    def rate(self, users: tf.Tensor, videos: tf.Tensor) -> Rated:
        """User rows int [B] with video rows int [B, C]."""
        return self._rate(
            self.user_representation(users[:, None]), self.video_representation(videos)
        )

    def rate_some(self, user: tf.Tensor, videos: tf.Tensor) -> tf.Tensor:
        """Logits [C] of one user row with many video rows int [C]; no attention."""
        prepared = tf.nest.map_structure(lambda x: x[0], self.prepared(user[None]))
        return self._rate_rows(prepared, videos)

    def _rate_rows(self, prepared: PreparedUser, videos: tf.Tensor) -> tf.Tensor:
        """Logits [C] of a prepared user with video rows int [C]."""
        size = tf.size(videos)
        blocks = tf.maximum(-(-size // self._rows_at_once), 1)
        missing = -size % blocks
        rows = tf.reshape(tf.pad(videos, [[0, missing]]), [blocks, -1])

        def of_block(some: tf.Tensor) -> tf.Tensor:
            return self.logits(prepared, self._rating.block(*self._facets_of(some)))

        logits = tf.map_fn(
            of_block,
            rows,
            fn_output_signature=tf.TensorSpec([None], tf.float32),
            parallel_iterations=2,
        )
        return tf.reshape(logits, [-1])[:size]

    def rate_each(self, user: UserRepresentation, videos: tf.Tensor) -> tf.Tensor:
        """Logits [B, C] of users [B, C=1, ...] with many video rows int [B, C]."""
        each = self._rating.prepared(user), videos
        spec = tf.RaggedTensorSpec([None], tf.float32, ragged_rank=0)  # of none, too
        rated = tf.map_fn(lambda x: self._rate_rows(*x), each, fn_output_signature=spec)
        return tf.reshape(rated.values, tf.shape(videos))

    def prior_of_videos(self, videos: tf.Tensor) -> tf.Tensor:
        """y of the prior, [..., P], of video rows int [...], if there is one."""
        [table] = self._facets[1]
        return tf.gather(table, videos)

    def video_factors(self, videos: tf.Tensor) -> tf.Tensor:
        """[y; o; b], [..., D], of video rows int [...]."""
        tables = itertools.chain(*self._facets[1:])
        return tf.concat([tf.gather(table, videos) for table in tables], axis=-1)

    def rate_every(self, user: UserRepresentation) -> tf.Tensor:
        """Logits [B, V] of users [B, C=1, ...] with every known video."""

        def of_user(prepared: PreparedUser) -> tf.Tensor:
            logits = tf.map_fn(
                lambda number: self.logits(prepared, self.block(number)),
                tf.range(self._blocks),
                fn_output_signature=tf.TensorSpec([self._block], tf.float32),
                parallel_iterations=2,
            )
            return tf.reshape(logits, [-1])[: self.videos]

        return tf.map_fn(
            of_user,
            self._rating.prepared(user),
            fn_output_signature=tf.TensorSpec([self.videos], tf.float32),
            parallel_iterations=1,
        )

    def _facets_of(self, videos: tf.Tensor) -> _VideoFacets:
        """Facets, the prior's y and the history's [o; b] of video rows int [...]."""
        return tf.nest.map_structure(lambda x: tf.gather(x, videos), self._facets)

    def block(self, number: tf.Tensor) -> VideoBlock:
        """One of the catalogue's blocks; the last is padded."""
        return tf.nest.map_structure(lambda part: tf.gather(part, number), self._video)

    def prepared(self, users: tf.Tensor) -> PreparedUser:
        """What rating a block needs of user rows int [B], [B, ...]."""
        return self._rating.prepared(self.user_representation(users[:, None]))

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V], for `ranking.rank_pairs`; uses all cores."""
        scores = np.empty([len(users), self._blocks, self._block], np.float32)

        def fill(job: tuple[int, int]) -> None:
            start, block = job
            some = users[start : start + USERS_AT_ONCE]
            padded = np.zeros(USERS_AT_ONCE, np.int32)
            padded[: len(some)] = some
            found = self._compiled.rate(padded, len(some), block)
            scores[start : start + len(some), block] = found[: len(some)]

        starts = range(0, len(users), USERS_AT_ONCE)
        in_threads(fill, itertools.product(starts, range(self._blocks)))
        return scores.reshape(len(users), self._blocks * self._block)[:, : self.videos]


def _facets(model: Representing, videos: tf.Tensor) -> _VideoFacets:
    represented = model.represent_videos(videos)
    return represented.facets, represented.prior, represented.history


def _empty(parts: Any, rows: int) -> Any:
    """Variables [rows, ...] shaped as the rows of `parts`."""
    return tf.nest.map_structure(
        lambda part: tf.Variable(
            tf.zeros([rows, *part.shape[1:]], part.dtype), trainable=False
        ),
        parts,
    )


def _put(variables: Any, rows: tf.Tensor, parts: Any) -> None:
    """Without reading the variables, as an assignment to a slice would."""
    tf.nest.map_structure(
        lambda v, part: v.scatter_update(tf.IndexedSlices(part, rows)),
        variables,
        parts,
    )
