"""Training and whole catalogues on a GPU, beside the CPU of the same machine.

Each device is measured in a process of its own, to which TensorFlow shows no other.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import sys
from typing import Any, Final

import numpy as np
import tensorflow as tf

from benchmarks import growth, history, training, two_stage, world
from benchmarks.catalogue import request_times_ms, untrained
from benchmarks.results import Figure, of_process
from benchmarks.timing import seconds
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import RecommendationConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.evaluation.ranking import FULL, rank_pairs
from uvcan_tf.evaluation_settings import CPU, GPU
from uvcan_tf.terminal.quiet import quiet_xla

_PAIRS_A_STEP: Final = (8192, 65536)
_USERS_A_STEP: Final = (128, 1024)
_RANKED: Final = 512  # users


def measure() -> dict[str, Figure]:
    """The GPU's figures beside the CPU's."""
    on_cpu, on_gpu = (of_process("benchmarks.devices", device) for device in (CPU, GPU))
    card, cores = on_gpu.pop("card"), on_cpu.pop("card")
    beside = f"{cores}, beside {card}"
    return {
        f"gpu_{key}": Figure(value, _unit(key), on_cpu[key], beside)
        for key, value in on_gpu.items()
    }


def _unit(key: str) -> str:
    return "ms" if key.endswith("_ms") else "/s"


def _measure_here(device: str) -> dict[str, Any]:
    found: dict[str, Any] = {"card": _card()}
    toffee_b = world.dataset(world.TOFFEE_B)
    for pairs in _PAIRS_A_STEP:
        rate = training.examples_per_s(toffee_b, training.config(pairs))
        found[f"train_{pairs}_examples"] = rate
    for users in _USERS_A_STEP:
        found[f"train_history_{users}_users"] = history.users_per_s(toffee_b, users)
    found |= _ranking(toffee_b)
    found |= _recommend(world.dataset(world.TOFFEE_A), device)
    return found | _by_candidates()


def _card() -> str:
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return str(details["device_name"])
    return f"{os.cpu_count()} CPU cores"


def _ranking(dataset: Dataset) -> dict[str, float]:
    """Pairs a second of ranking whole catalogues."""
    model = untrained(dataset)
    catalogue = Catalogue(model)
    few = dataclasses.replace(dataset, test=dataset.test.of_some_users(_RANKED, 1))
    evaluation = model.config.evaluation
    ranked = seconds(lambda: rank_pairs(catalogue, few, evaluation, (FULL,)), 3)
    pairs = len(np.unique(few.test.user)) * dataset.videos.size
    return {"full_ranking_pairs": pairs / ranked}


def _recommend(dataset: Dataset, device: str) -> dict[str, float]:
    """A request of `recommend` over 73,015 videos, from a SavedModel."""
    times = request_times_ms(untrained(dataset), RecommendationConfig(device=device))
    return {"recommend_73k_p50_ms": statistics.median(times)}


def _by_candidates() -> dict[str, float]:
    """Requests over a million videos: all of them rated, and 1,000 candidates."""
    dataset = world.dataset(growth.WORLDS["million_videos"])
    (figure,) = two_stage.measure_latency(dataset).values()
    assert figure.reference is not None
    return {
        "recommend_1m_exact_p50_ms": figure.reference,
        "recommend_1m_two_stage_p50_ms": figure.value,
    }


if __name__ == "__main__":
    if sys.argv[1] == CPU:
        tf.config.set_visible_devices([], "GPU")
    quiet_xla()
    print(json.dumps(_measure_here(sys.argv[1])))
