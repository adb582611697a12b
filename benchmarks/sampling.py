"""Negative sampling: draws a second, each checked, and its share of a training step."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from benchmarks.results import Figure
from benchmarks.timing import seconds
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.model.negatives import UnobservedSampler

_DRAWS = 100_000_000
_USERS_AT_ONCE = 1 << 18
_A_USER = 4


def measure(
    dataset: Dataset, config: Config, examples_per_s: float
) -> dict[str, Figure]:
    """A hundred million negatives, none observed, and a step's worth of them."""
    drawn = draw_and_check(dataset, _DRAWS)
    step = config.training.batch_size * (1 + config.training.negatives)
    return {
        "negatives_per_s": Figure(
            _DRAWS / drawn, "drawn and checked/s", _DRAWS / 60, "100 million a minute"
        ),
        "negatives_share_of_step": Figure(
            _step_s(dataset, config),
            "s a step",
            step / examples_per_s,
            "the training step",
        ),
    }


def draw_and_check(dataset: Dataset, draws: int) -> float:
    """Seconds for so many draws, each looked up in a table of all observed pairs.

    Raises:
      AssertionError: an observed pair was drawn.
    """
    sampler = _sampler(dataset)
    observed = _observed(dataset)
    draw = tf.function(sampler, autograph=False)
    users = tf.constant(np.resize(dataset.train.user, _USERS_AT_ONCE))
    rows = users.numpy()[:, None]
    draw(users, _A_USER, tf.constant([0, 0]))
    start = time.perf_counter()
    for number in range(-(-draws // (_USERS_AT_ONCE * _A_USER))):
        videos = draw(users, _A_USER, tf.constant([number, 1])).numpy()
        if observed[rows, videos].any():
            raise AssertionError("A negative should be unobserved. Received: a like.")
    return time.perf_counter() - start


def _step_s(dataset: Dataset, config: Config) -> float:
    """Seconds of drawing the negatives of one step."""
    sampler = _sampler(dataset)
    users = tf.constant(np.resize(dataset.train.user, config.training.batch_size))
    draw = tf.function(
        lambda: sampler(users, config.training.negatives, tf.constant([3, 5])),
        autograph=False,
    )
    return seconds(draw, 20)


def _sampler(dataset: Dataset) -> UnobservedSampler:
    return UnobservedSampler(dataset.train, dataset.users.size, dataset.videos.size)


def _observed(dataset: Dataset) -> npt.NDArray[np.bool_]:
    table = np.zeros([dataset.users.size + 2, dataset.videos.size + 2], bool)
    table[dataset.train.user, dataset.train.video] = True
    return table
