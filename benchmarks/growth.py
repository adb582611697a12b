"""Larger worlds: time and memory of each stage, beside a formula for the memory.

Every world runs in a process of its own, so that its peak is its own.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import tensorflow as tf

from benchmarks import training, two_stage, world
from benchmarks.catalogue import untrained
from benchmarks.results import Figure, of_process
from benchmarks.timing import seconds
from tfx_pipeline.memory import peak_mb
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.sources.planted_world import Size
from uvcan_tf.evaluation.ranking import FULL, rank_pairs
from uvcan_tf.features import PAPER
from uvcan_tf.terminal.quiet import quiet_xla

_BASE: Final = dataclasses.replace(world.TOFFEE_B, visual_length=64)
WORLDS: Final = {
    "base": _BASE,
    "likes_x10": dataclasses.replace(
        _BASE, users=10 * _BASE.users, likes=10 * _BASE.likes
    ),
    "likes_x100": dataclasses.replace(
        _BASE, users=100 * _BASE.users, likes=100 * _BASE.likes
    ),
    "million_videos": dataclasses.replace(
        _BASE, videos=1_000_000, likes=10 * _BASE.likes
    ),
}
_RANKED = 64  # users
_STEPS = 5
_MB = 1 / (1 << 20)
_LIBRARIES_MB = 800  # resident once TensorFlow is imported and has trained


def measure(name: str) -> dict[str, Figure]:
    """One world, in a process of its own."""
    found = of_process("benchmarks.growth", name)
    return {key: Figure(**figure) for key, figure in found.items()}


def bytes_of_training(size: Size, config: Config) -> float:
    """What grows with the world while training.

    Embeddings are there as weights, two moments of Adam and the best epoch's, with the
    step that used a row last; tables as NumPy arrays and as constants; a like as two
    row numbers in both, as a sampler's key, and in what sorting it needed.
    """
    K = config.model.factors
    rows = size.users + size.videos + size.authors + size.music
    tables = size.users * 4 * 2 + size.videos * 4 * (2 + 3 + size.visual_length)
    return rows * (4.0 * K * 4 + 8) + 2 * tables + size.likes * (2 * 8 + 8 + 24)


def bytes_of_catalogue(size: Size, config: Config) -> float:
    """What rating a catalogue keeps: every facet and its W_x X of each hop.

    A video's facets are there twice, by row and in blocks.
    """
    K, hops = config.model.factors, config.model.hops
    N, M = len(PAPER.user_facets), len(PAPER.video_facets)
    H = config.model.hidden_widths[0]
    video = M * K * (2 + hops) + hops * M + H
    user = N * K * (1 + hops) + K + H
    return 4.0 * (size.videos * video + size.users * user)


def _measure_here(name: str, size: Size) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}

    def stage(label: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        figures[f"{name}_{label}_s"] = Figure(time.perf_counter() - start, "s")
        return result

    config = training.config()
    dataset: Dataset = stage("world", lambda: world.dataset(size))
    training._STEPS = _STEPS
    rate = stage("training", lambda: training.examples_per_s(dataset, config))
    figures[f"{name}_train_examples_per_s"] = Figure(rate, "examples/s")
    figures[f"{name}_training_mb"] = Figure(
        peak_mb(),
        "MB",
        bytes_of_training(size, config) * _MB + _LIBRARIES_MB,
        "the formula",
    )
    model = untrained(dataset)
    catalogue = stage("catalogue", lambda: Catalogue(model))
    rate_every = tf.function(
        lambda user: catalogue.rate_every(catalogue.user_representation(user)),
        autograph=False,
    )
    request = seconds(lambda: rate_every(tf.constant([[1]])), 5)
    figures[f"{name}_request_ms"] = Figure(1000 * request, "ms")
    few = dataclasses.replace(dataset, test=dataset.test.of_some_users(_RANKED, 1))
    ranked = seconds(lambda: rank_pairs(catalogue, few, config.evaluation, (FULL,)), 1)
    pairs = len(np.unique(few.test.user)) * size.videos
    figures[f"{name}_full_ranking_pairs_per_s"] = Figure(pairs / ranked, "pairs/s")
    whole = bytes_of_training(size, config) + bytes_of_catalogue(size, config)
    figures[f"{name}_peak_mb"] = Figure(
        peak_mb(), "MB", whole * _MB + _LIBRARIES_MB, "the formula"
    )
    if size.videos >= 1_000_000:
        del model, catalogue, rate_every  # the next one is as large
        found = two_stage.measure_latency(dataset)
        figures.update({f"{name}_{key}": figure for key, figure in found.items()})
    return figures


if __name__ == "__main__":
    quiet_xla()
    figures = _measure_here(sys.argv[1], WORLDS[sys.argv[1]])
    content = {key: dataclasses.asdict(figure) for key, figure in figures.items()}
    print(json.dumps(content))
