"""How much of the exact answer the candidates of a model have, as a file beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from uvcan_tf import features as names
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.saved_model.recommend_signature import BestVideos

#: Where in a SavedModel the figures lie; only there where `recommend` has candidates.
CANDIDATES_FILE: Final = "assets.extra/candidates.json"

_USERS: Final = 200
_AT_ONCE: Final = 8


def write(best: BestVideos, dataset: Dataset, seed: int, folder: Path) -> None:
    """Writes the recall into the SavedModel, unless it rates all videos."""
    if best.candidates is None or not len(dataset.train):
        return
    file = folder / CANDIDATES_FILE
    file.parent.mkdir(exist_ok=True)
    content = measured(best, dataset, seed)
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def measured(best: BestVideos, dataset: Dataset, seed: int) -> dict[str, Any]:
    """The recall for some users with likes, drawn by seed, and how many they are."""
    users = np.random.default_rng(seed).permutation(np.unique(dataset.train.user))
    some = dataset.users.ids[users[:_USERS] - 1]
    nothing, k = tf.constant([[""]]), tf.constant([best.default_k])

    def shares(users: tf.Tensor) -> tf.Tensor:  # [B]
        exact = best.exactly(users)
        found = best.recommend(users, k, nothing, nothing)
        ours, theirs = exact[names.VIDEO_IDS], found[names.VIDEO_IDS]
        again = (ours[:, :, None] == theirs[:, None]) & (ours[:, :, None] != "")
        there = tf.reduce_sum(tf.cast(again, tf.int32), axis=[1, 2])
        return there / tf.maximum(exact[names.FOUND], 1)

    spec = tf.TensorSpec([None], tf.string)
    compiled = tf.function(shares, input_signature=[spec], autograph=False)
    parts = [
        compiled(tf.constant(some[start : start + _AT_ONCE], tf.string)).numpy()
        for start in range(0, len(some), _AT_ONCE)
    ]
    return {
        "candidates": best.candidates,
        "videos": dataset.videos.size,
        "users": len(some),
        "k": best.default_k,
        "recall": float(np.concatenate(parts).mean()),
    }


def read(folder: Path) -> dict[str, Any] | None:
    """The figures of a SavedModel; None where it rates all videos."""
    file = folder / CANDIDATES_FILE
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def sentence(content: dict[str, Any]) -> str:
    """The figures in words.

    >>> sentence(
    ...     {"candidates": 50, "videos": 4000, "users": 200, "k": 10, "recall": 0.981}
    ... )
    'recommend rates 50 of 4,000 videos and finds 98.1 % of the exact 10 (200 users).'
    """
    rated, videos = f"{content['candidates']:,}", f"{content['videos']:,}"
    return (
        f"recommend rates {rated} of {videos} videos and finds "
        f"{100 * content['recall']:.1f} % of the exact {content['k']} "
        f"({content['users']} users)."
    )
