"""Two-stage recommendation: what it finds of the exact answer, and how soon."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import Figure
from benchmarks.timing import each
from uvcan_tf import retrieval
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.tables import read_tables
from uvcan_tf.features import of_folder
from uvcan_tf.retrieval import Towers, TwoStage
from uvcan_tf.training.fit import fit

_K = 10
_USERS = 200
_CANDIDATES = (100, 1000, 5000)
_AT_A_MILLION = 1000
_REQUESTS = 30
_EPOCHS = 8


def measure_recall(tables: Path) -> dict[str, Figure]:
    """Recall@10 of the exact answer, after some epochs of training of both."""
    config = Config()
    config = dataclasses.replace(
        config, training=dataclasses.replace(config.training, epochs=_EPOCHS)
    )
    features = of_folder(tables)
    dataset = encode_tables(read_tables(tables, features), features, config.evaluation)
    catalogue = Catalogue(fit(dataset, config))
    towers = retrieval.fit(dataset, config.training, config.model.factors)
    users = np.unique(dataset.test.user)[:_USERS]
    exact = 1 + np.argsort(-catalogue.scores(users), axis=1)[:, :_K].astype(np.int32)
    figures = {}
    for candidates in _CANDIDATES:
        index = retrieval.brute_force(towers, candidates)
        stages = TwoStage(towers, index, catalogue)
        found = np.array([stages.recommend(user, _K) for user in users])
        figures[f"two_stage_{candidates}_recall"] = Figure(
            float(retrieval.recall(exact, found).mean()),
            "of the exact ten",
            candidates / dataset.videos.size,
            "a random choice of candidates",
        )
    return figures


def measure_latency(dataset: Dataset, catalogue: Catalogue) -> dict[str, Figure]:
    """A request by either index, beside rating every video."""
    towers = Towers(dataset)
    users = dataset.users.size
    exact = _p50(lambda user: catalogue.scores(np.array([user], np.int32)), users)
    figures = {}
    for build in (retrieval.brute_force, retrieval.streaming):
        stages = TwoStage(towers, build(towers, _AT_A_MILLION), catalogue)
        figures[f"two_stage_{build.__name__}_p50_ms"] = Figure(
            _p50(functools.partial(stages.recommend, k=_K), users),
            "ms",
            exact,
            "rating every video by XLA",
        )
    return figures


def _p50(request: Callable[[int], Any], users: int) -> float:
    """Milliseconds of a request, of another user each time."""
    rows = itertools.cycle(range(1, users + 1))
    return 1000 * statistics.median(each(lambda: request(next(rows)), _REQUESTS))
