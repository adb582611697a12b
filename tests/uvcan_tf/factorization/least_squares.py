"""The loss of one person as rows of weighted least squares, solved by NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uvcan_tf.config import IALSSettings
from uvcan_tf.data.dataset import Dataset

EVERYBODYS_LIKES = 4.0


def factors_of(
    world: Dataset,
    y: np.ndarray,
    settings: IALSSettings,
    liked: Sequence[int],
    skipped: Sequence[int] = (),
    mean: np.ndarray | None = None,
) -> np.ndarray:
    """x [K] of least loss of who likes and skips these columns of videos y [V, K].

    The article's loss of a user; beside it, the person likes as everybody does.
    """
    y = y.astype(np.float64)
    V, K = y.shape
    seen = [*liked, *skipped]
    weight = [1.0] * len(liked) + [settings.impression_weight] * len(skipped)
    own = np.sqrt(weight)
    a0 = settings.unobserved_weight
    ridge = settings.regularization * (len(seen) + a0 * V) ** settings.frequency
    share = np.bincount(world.train.video - 1, minlength=V) / len(world.train)
    crowd = np.sqrt(EVERYBODYS_LIKES * share)
    rows = [
        own[:, None] * y[seen],
        crowd[:, None] * y,
        np.sqrt(a0) * y,
        np.sqrt(ridge) * np.eye(K),
    ]
    toward = np.zeros(K) if mean is None else settings.attribute_pull * mean
    wanted = np.concatenate([own, crowd, np.zeros(V), np.sqrt(ridge) * toward])
    return np.linalg.lstsq(np.concatenate(rows), wanted, rcond=None)[0]
