"""The softmax over candidates that all users of a step share, with logQ correction.

Each user's likes are split anew at every step: some are given and make the history, the
others are asked for among the step's candidates.

    L = - mean over asked likes (u, v) of log softmax_c(ŷ_uc - log q_c) at c = v

over the candidates c that are rivals to u: neither given by u nor, where skipped
impressions rank last anyway, skipped. q_c is the chance that a step has the candidate
c; see Yi et al., Sampling-Bias-Corrected Neural Modeling (RecSys 2019).

Shapes: B users of a step, L likes, A asked ones, C candidates, S negatives of an asked
like, R video rows, V videos.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.config import TrainingConfig
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, Pairs
from uvcan_tf.history_settings import HistorySettings
from uvcan_tf.model.batches import step_seed
from uvcan_tf.model.histories import Histories, where
from uvcan_tf.network.liked_videos import LikedVideos, Likes, together

_NEVER = -1e9  # a logit that no softmax notices


class SharedStep(NamedTuple):
    """What one step gives and asks."""

    users: tf.Tensor  # rows [B]
    given: Likes
    asked: Likes
    no_rivals: Likes  # what was given, and what is never drawn
    candidates: tf.Tensor  # video rows [C]
    log_q: tf.Tensor  # of the candidates, [C]
    column: tf.Tensor  # [R]: the candidate that a video row is, -1 where it is none

    def places(self, likes: Likes) -> tf.Tensor:
        """int [*, 2]: (user, candidate) of the likes whose video is a candidate."""
        place = tf.gather(self.column, likes.video)
        pair = tf.stack([likes.user, place], axis=1)
        return tf.boolean_mask(pair, place >= 0)

    def products(
        self, layer: LikedVideos, videos: tf.Tensor, h: tf.Tensor
    ) -> tf.Tensor:
        """Products of histories h [B, D] with the candidates, - log q, [B, C].

        videos: the rows [C] as which the candidates are known.
        """
        y = layer.video_factors(videos)  # [C, D + 1]
        return tf.matmul(layer.user_factors(h), y, transpose_b=True) - self.log_q

    def of_rivals(self, logits: tf.Tensor) -> tf.Tensor:
        """Logits [B, C] that no softmax notices where a candidate is no rival."""
        hidden = self.places(self.no_rivals)
        penalty = tf.fill(tf.shape(hidden)[:1], _NEVER)
        return tf.tensor_scatter_nd_add(logits, hidden, penalty)


class SharedCandidates:
    """Draws steps; everything random is a function of the seed and the step.

    Args:
      dataset: its training pairs are the likes.
      histories: of the same pairs.
      settings: of the split and the candidates.
      seed: of every draw.
      never_drawn: pairs whose video is no rival to their user, as in `Batches`.

    Attributes:
      at_once: how many users share a step.
    """

    def __init__(
        self,
        dataset: Dataset,
        histories: Histories,
        settings: HistorySettings,
        seed: int,
        never_drawn: Pairs = NO_PAIRS,
    ) -> None:
        self._histories = histories
        self._never_drawn = histories.but_of(never_drawn)
        self._settings = settings
        self._seed = seed
        self.l2 = settings.l2
        self._videos = dataset.videos.size
        likes = np.bincount(dataset.train.video, minlength=self._videos + 2)
        users = max(1, len(np.unique(dataset.train.user)))
        self.at_once = settings.users_a_step(users)
        share = min(1.0, self.at_once / users)
        self._asked = share * (1 - settings.given) * len(dataset.train)
        self._log_q = tf.constant(self._log_chance(likes, share), tf.float32)

    def _log_chance(
        self, likes: npt.NDArray[np.int64], share: float
    ) -> npt.NDArray[np.float64]:
        """log of the chance that a video row is a candidate of a step, [R].

        share: of the users, that is in a step.
        """
        settings = self._settings
        asked = likes * (1 - settings.given) * share
        drawn = min(settings.uniform / self._videos, 1 - 1e-6)
        return np.log(1 - (1 - drawn) * np.exp(-asked))

    def draw(self, users: tf.Tensor, step: tf.Tensor) -> SharedStep:
        """The step of user rows int [B]."""
        likes = self._histories.of(users)
        draw = tf.random.stateless_uniform(
            tf.shape(likes.video), step_seed(self._seed, step, stream=0)
        )
        is_given = draw < self._settings.given
        first = tf.range(tf.size(draw)) == 0  # is asked for where nothing else is
        is_given &= ~(first & tf.reduce_all(is_given))
        asked = where(likes, ~is_given)
        candidates = self._candidates(asked.video, step)
        column = tf.tensor_scatter_nd_update(
            tf.fill([self._videos + 2], -1),
            candidates[:, None],
            tf.range(tf.size(candidates)),
        )
        log_q = tf.gather(self._log_q, candidates)
        given = where(likes, is_given)
        no_rivals = together(given, self._never_drawn.of(users))
        return SharedStep(users, given, asked, no_rivals, candidates, log_q, column)

    def _candidates(self, asked: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Distinct video rows int [C]: the asked ones, then uniform ones."""
        seed = step_seed(self._seed, step, stream=1)
        shape = [self._settings.uniform]
        uniform = tf.random.stateless_uniform(
            shape, seed, 1, self._videos + 1, tf.int32
        )
        every = tf.unique(tf.concat([asked, uniform], axis=0)).y
        return every[: self._settings.candidates]

    def dropped(self, h: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Histories [B, D], some of which become that of a user without likes."""
        seed = step_seed(self._seed, step, stream=5)
        draw = tf.random.stateless_uniform([tf.shape(h)[0], 1], seed)
        return tf.where(draw < self._settings.dropout, 0.0, h)

    def rivals(
        self,
        drawn: SharedStep,
        asked: Likes,
        odds: tf.Tensor | None,
        count: int,
        step: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Video rows [A, 1 + S], the asked one first, and what to subtract from logits.

        The S rivals are drawn from the candidates by softmax(odds)
        for logits that are added to the odds [B, C]; without odds, uniformly.
        """
        shape = [tf.size(drawn.users), tf.size(drawn.candidates)]
        open_to = drawn.of_rivals(tf.zeros(shape) if odds is None else odds)
        chosen = tf.random.stateless_categorical(
            tf.gather(open_to, asked.user),
            count,
            step_seed(self._seed, step, stream=4),
            tf.int32,
        )
        rivals = tf.gather(drawn.candidates, chosen)
        videos = tf.concat([asked.video[:, None], rivals], axis=1)
        if odds is None:
            return videos, tf.gather(self._log_q, videos)
        return videos, tf.zeros_like(videos, tf.float32)

    def training(self, config: TrainingConfig) -> TrainingConfig:
        """By softmax, with no more likes at once than a step asks for on average."""
        size = min(config.batch_size, max(1, round(self._asked)))
        return dataclasses.replace(config, batch_size=size, softmax=True)


def shared_softmax_loss(drawn: SharedStep, logits: tf.Tensor) -> tf.Tensor:
    """L of logits ŷ - log q, [B, C]."""
    asked = drawn.places(drawn.asked)
    found = tf.gather_nd(tf.nn.log_softmax(drawn.of_rivals(logits)), asked)
    return -tf.reduce_sum(found) / tf.cast(tf.maximum(tf.size(found), 1), tf.float32)


def product_loss(
    drawn: SharedStep, layer: LikedVideos, videos: tf.Tensor, h: tf.Tensor, l2: float
) -> tf.Tensor:
    """L of the step's products, and their factors' l2."""
    loss = shared_softmax_loss(drawn, drawn.products(layer, videos, h))
    if l2:
        y = layer.video_factors(videos)[:, :-1]
        squares = tf.nn.l2_loss(h) + tf.nn.l2_loss(y)
        loss += l2 * squares / tf.cast(tf.size(drawn.users), tf.float32)
    return loss


def log_popularity(dataset: Dataset) -> npt.NDArray[np.float32]:
    """log of each video row's share of the likes, one added to each, [R]."""
    likes = np.bincount(dataset.train.video, minlength=dataset.videos.size + 2)
    share = (likes + 1) / (likes.sum() + dataset.videos.size)
    return np.log(share).astype(np.float32)
