"""Whole catalogues: one request of `recommend`, and the evaluation of all users."""

from __future__ import annotations

import dataclasses
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks import work
from benchmarks.machine import Machine
from benchmarks.results import Figure
from benchmarks.timing import each, once, seconds
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import Config, RecommendationConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.evaluation.ranking import FULL, SAMPLED, rank_pairs
from uvcan_tf.features import LIKED_VIDEO_IDS, RECOMMEND, USER_ID, K
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.export import export

_REQUESTS = 60
_RECOMMENDED = 10


def untrained(dataset: Dataset, config: Config | None = None) -> UVCAN:
    """A model whose arithmetic is that of a trained one."""
    model = UVCAN(dataset, config or Config())
    model((tf.constant([1]), tf.constant([[1]])))
    return model


def measure_requests(dataset: Dataset, machine: Machine) -> dict[str, Figure]:
    """`recommend` of a SavedModel as a server runs it: plain operations, no XLA."""
    model = untrained(dataset)
    times = request_times_ms(model, model.config.recommendation)
    every = work.of_catalogue_pair(dataset.features, model.config)
    least = 1000 * machine.seconds(*(dataset.videos.size * part for part in every))
    naively = 1000 * seconds(lambda: _unblocked(model, dataset), 5)
    beside = "matmul and tanh alone"
    p50, p99 = (float(np.percentile(times, q)) for q in (50, 99))
    return {
        "recommend_73k_p50_ms": Figure(p50, "ms", least, beside),
        "recommend_73k_p99_ms": Figure(p99, "ms", least, beside),
        "recommend_vs_unblocked": Figure(p50, "ms", naively, "the network, unblocked"),
    }


def request_times_ms(
    model: UVCAN, served: RecommendationConfig, likes: int = 0
) -> list[float]:
    """Of the signature `recommend` of the model, exported to be served so."""
    config = dataclasses.replace(model.config, recommendation=served)
    with tempfile.TemporaryDirectory() as folder:
        export(model, model.dataset, None, config, Path(folder))
        request = requests(Path(folder), model.dataset, likes)
        return [1000 * s for s in each(request, _REQUESTS)]


def requests(folder: Path, dataset: Dataset, likes: int = 0) -> Callable[[], Any]:
    """A call of the signature `recommend`, of another user each time.

    Where likes are given, they are all that is known of the user.
    """
    recommend = tf.saved_model.load(str(folder)).signatures[RECOMMEND]
    inputs = {
        name: tf.zeros([0] * spec.shape.rank, spec.dtype)
        for name, spec in recommend.structured_input_signature[1].items()
    }
    if likes:
        liked = np.random.default_rng(1).choice(dataset.videos.ids, likes)
        inputs[LIKED_VIDEO_IDS] = tf.constant([liked], tf.string)
        users = itertools.repeat("somebody new")
    else:
        users = iter(np.resize(dataset.users.ids, 100_000))

    def request() -> Any:
        user = tf.constant([next(users)])
        k = tf.constant([_RECOMMENDED])
        return recommend(**{**inputs, USER_ID: user, K: k})

    return request


def _unblocked(model: UVCAN, dataset: Dataset) -> tf.Tensor:
    """The scores of one user by the network as it trains."""
    videos = tf.range(1, dataset.videos.size + 1)[None]
    return model((tf.constant([1]), videos))


def measure_ranking(dataset: Dataset, machine: Machine) -> dict[str, Figure]:
    """Both protocols' ranking of all held-out pairs, scores included."""
    model = untrained(dataset)
    catalogue = Catalogue(model)
    rank_pairs(catalogue, _of_few(dataset), model.config.evaluation)
    pairs = len(np.unique(dataset.test.user)) * dataset.videos.size
    every = work.of_catalogue_pair(dataset.features, model.config)
    most = 1 / machine.seconds(*every)
    evaluation = model.config.evaluation
    full = once(lambda: rank_pairs(catalogue, dataset, evaluation, (FULL,)))
    sampled = once(lambda: rank_pairs(catalogue, dataset, evaluation, (SAMPLED, FULL)))
    unit, beside = "pairs/s", "matmul and tanh alone"
    return {
        "full_ranking_pairs_per_s": Figure(pairs / full, unit, most, beside),
        "both_rankings_pairs_per_s": Figure(pairs / sampled, unit, most, beside),
        "refresh_s": Figure(seconds(lambda: catalogue.refresh(model), 3), "s"),
    }


def _of_few(dataset: Dataset) -> Dataset:
    return dataclasses.replace(dataset, test=dataset.test.of_some_users(3, 1))
