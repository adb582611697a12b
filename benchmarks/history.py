"""The presets `history` and `best` beside the paper's network: training, a request."""

from __future__ import annotations

import dataclasses
import functools
import statistics
from typing import Final

from benchmarks import training
from benchmarks.catalogue import request_times_ms, untrained
from benchmarks.results import Figure
from benchmarks.timing import once
from uvcan_tf import presets
from uvcan_tf.config import RecommendationConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.factorization.prior import Prior
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.fit import positions
from uvcan_tf.training.sparse_adam import SparseAdam

_USERS_A_STEP: Final = 128
_PAIRS_A_STEP: Final = 2048
_STEPS: Final = 40
_SERVED: Final = RecommendationConfig()
_GIVEN: Final = 10  # likes of somebody whom the model does not know
_BESIDE: Final = "the network of the paper"
_KNOWN: Final = "a known user"


def measure(toffee_b: Dataset, toffee_a: Dataset) -> dict[str, Figure]:
    """How soon both are trained, and `recommend` over 73,015 videos."""
    likes = len(toffee_b.train) / toffee_b.users.size
    passed = likes * users_per_s(toffee_b, _USERS_A_STEP)
    paper = training.config(_PAIRS_A_STEP)
    examples = training.examples_per_s(toffee_b, paper)
    best = presets.best()
    assert best.prior is not None
    prior = once(functools.partial(Prior, toffee_b, best.prior))
    ours = untrained(toffee_a, presets.history()), untrained(toffee_a, best)
    of_paper = _request_ms(untrained(toffee_a, paper))
    (requests, of_best), (told, best_told) = (
        [_request_ms(model, likes) for model in ours] for likes in (0, _GIVEN)
    )
    each = 1 + paper.training.negatives
    epoch = len(toffee_b.train) / passed
    return {
        "train_history_likes_per_s": Figure(passed, "/s", examples / each, _BESIDE),
        "fit_prior_of_best_s": Figure(prior, "s", epoch, "an epoch of `history`"),
        "recommend_history_73k_p50_ms": Figure(requests, "ms", of_paper, _BESIDE),
        "recommend_best_73k_p50_ms": Figure(of_best, "ms", of_paper, _BESIDE),
        "recommend_history_by_likes_73k_p50_ms": Figure(told, "ms", requests, _KNOWN),
        "recommend_best_by_likes_73k_p50_ms": Figure(best_told, "ms", of_best, _KNOWN),
    }


def _request_ms(model: UVCAN, likes: int = 0) -> float:
    return statistics.median(request_times_ms(model, _SERVED, likes))


def users_per_s(dataset: Dataset, users: int) -> float:
    """Users a second in steps of so many, after the steps that compile."""
    settings = presets.history()
    assert settings.history is not None
    history = dataclasses.replace(settings.history, users=users)
    model = UVCAN(dataset, dataclasses.replace(settings, history=history))
    model.compile(SparseAdam(settings.training.learning_rate))
    examples = model.examples[0] // users * users  # all steps of as many
    batches = positions(examples, users).repeat()
    return users * training.rate(model, batches, _STEPS)
