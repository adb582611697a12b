"""Blocks of a catalogue rated by XLA, for evaluation.

No part of what is saved: a model server refuses what XLA compiled.

Shapes: B users, C videos of a block.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.catalogue.block_rating import PreparedUser, VideoBlock
from uvcan_tf.data.dataset import IntArray

USERS_AT_ONCE: Final = 32


class Blocks(Protocol):
    """A catalogue of prepared users and blocks of videos."""

    def prepared(self, users: tf.Tensor) -> PreparedUser:
        """[B, ...] of user rows int [B]."""
        ...

    def block(self, number: tf.Tensor) -> VideoBlock:
        """One of the blocks."""
        ...

    def logits(self, user: PreparedUser, videos: VideoBlock) -> tf.Tensor:
        """[C] of one user with a block."""
        ...


class CompiledRating:
    """Logits of several users with a block.

    Args:
      catalogue: what it rates.
      at_once: how many videos XLA gets in one piece.
    """

    def __init__(self, catalogue: Blocks, at_once: int) -> None:
        self._catalogue = catalogue
        self._at_once = at_once
        self._function = tf.function(self._rate, autograph=False, jit_compile=True)

    def rate(self, users: IntArray, count: int, block: int) -> npt.NDArray[np.float32]:
        """float32 [B, C] of user rows [B], of which `count` are wanted."""
        inputs = (tf.constant(value, tf.int32) for value in (users, count, block))
        return self._function(*inputs).numpy()

    def _rate(self, users: tf.Tensor, count: tf.Tensor, block: tf.Tensor) -> tf.Tensor:
        prepared = self._catalogue.prepared(users)
        whole = self._catalogue.block(block)
        parts = []
        for start in range(0, whole.X.shape[-1], self._at_once):
            some = slice(start, start + self._at_once)
            video = tf.nest.map_structure(lambda part, s=some: part[..., s], whole)
            parts.append(self._rate_users(prepared, count, video))
        return tf.concat(parts, axis=1)  # [B, C]

    def _rate_users(
        self, prepared: PreparedUser, count: tf.Tensor, video: VideoBlock
    ) -> tf.Tensor:
        def rate_one(i: tf.Tensor, logits: tf.TensorArray) -> Any:
            user = tf.nest.map_structure(lambda part: part[i], prepared)
            return i + 1, logits.write(i, self._catalogue.logits(user, video))

        logits = tf.TensorArray(tf.float32, USERS_AT_ONCE, element_shape=[None])
        first = (tf.constant(0), logits)
        return tf.while_loop(lambda i, _: i < count, rate_one, first)[1].stack()
