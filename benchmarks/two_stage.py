"""`recommend` by candidates: what it finds of the exact answer, and how soon.

Shapes: N candidates.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import statistics
import tempfile
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from benchmarks.results import Figure
from benchmarks.timing import once
from uvcan_tf import presets
from uvcan_tf.config import RecommendationConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.tables import read_tables
from uvcan_tf.features import RECOMMEND, of_folder
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model import candidate_recall
from uvcan_tf.saved_model.export import LookupTransform
from uvcan_tf.saved_model.recommender import Recommender
from uvcan_tf.training.fit import fit

_CANDIDATES: Final = (100, 1000)
_AT_A_MILLION: Final = 1000
_REQUESTS: Final = 30
_WARM_UP: Final = 2
_EPOCHS: Final = 8
_RATED_AN_EPOCH: Final = 20_000_000  # pairs of validation users with videos, at most


def measure_recall(tables: Path) -> dict[str, Figure]:
    """Recall@10 of the exact answer by a model of the preset `history`."""
    config = presets.history()
    features = of_folder(tables)
    dataset = encode_tables(read_tables(tables, features), features, config.evaluation)
    videos = dataset.videos.size
    users = min(config.training.validation_users, 1 + _RATED_AN_EPOCH // videos)
    training = dataclasses.replace(
        config.training, epochs=_EPOCHS, validation_users=users
    )
    model = fit(dataset, dataclasses.replace(config, training=training), report=print)
    figures = {}
    for candidates in _CANDIDATES:
        best = _recommender(model, dataset, candidates).best
        found = candidate_recall.measured(best, dataset, config.evaluation.seed)
        figures[f"two_stage_{candidates}_of_{videos}_recall"] = Figure(
            found["recall"],
            "of the exact ten",
            candidates / videos,
            "a random choice of candidates",
        )
    return figures


def measure_latency(
    dataset: Dataset, candidates: int = _AT_A_MILLION
) -> dict[str, Figure]:
    """A request of `recommend` by candidates, each beside one over all videos."""
    # The length of vectors decides how long it takes, and not what they hold.
    model = UVCAN(dataset, presets.history())
    model((tf.constant([1]), tf.constant([[1]])))
    recommender = _recommender(model, dataset, candidates)
    some = recommender.signatures()[RECOMMEND]
    every = tf.function(recommender.best.exactly, autograph=False)
    users = itertools.cycle(dataset.users.ids)
    times: dict[Any, list[float]] = {every: [], some: []}
    for _ in range(_REQUESTS + _WARM_UP):
        user = tf.constant([next(users)])
        for request, taken in times.items():
            taken.append(1000 * once(functools.partial(request, user)))
    exact, found = (statistics.median(t[_WARM_UP:]) for t in times.values())
    figure = Figure(found, "ms", exact, "rating every video")
    return {f"two_stage_{candidates}_p50_ms": figure}


def _recommender(model: UVCAN, dataset: Dataset, candidates: int | None) -> Recommender:
    """What is saved, in memory."""
    recommendation = RecommendationConfig(candidates=candidates)
    config = dataclasses.replace(model.config, recommendation=recommendation)
    with tempfile.TemporaryDirectory() as folder:
        transform = LookupTransform(dataset, Path(folder))
        return Recommender(model, dataset, transform, config, Path(folder))
