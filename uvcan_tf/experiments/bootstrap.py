"""Is a difference more than chance? A paired bootstrap over users.

Shapes: P held-out pairs, U users, R resamples, D differences tested at once.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from uvcan_tf.data.dataset import IntArray

_DRAWS_AT_ONCE: Final = 1 << 22

Matrix = npt.NDArray[np.float64]


class Difference(NamedTuple):
    """A mean difference over pairs, and how probable one as far from 0 is by chance."""

    difference: float
    p_value: float


def paired_bootstrap(
    differences: Matrix, user: IntArray, resamples: int = 10_000, seed: int = 1
) -> list[Difference]:
    """Tests every column of differences [P, D] between two methods' metrics.

    Users are drawn with replacement, each with all of their pairs, since pairs of one
    user are not independent. The p-value is two-sided, and never 0.

    Args:
      differences: of each pair, of each of D comparisons.
      user: int [P], whose pair it is.
      resamples: R.
      seed: of the draw.
    """
    _, inverse = np.unique(user, return_inverse=True)
    pairs = np.bincount(inverse).astype(np.float64)  # [U]
    sums = np.stack(  # [U, D]
        [np.bincount(inverse, weights=column) for column in differences.T], axis=1
    )
    rng = np.random.default_rng(seed)
    below, above = np.zeros(sums.shape[1]), np.zeros(sums.shape[1])
    step = max(1, _DRAWS_AT_ONCE // len(pairs))
    for start in range(0, resamples, step):
        size = (min(step, resamples - start), len(pairs))
        drawn = rng.integers(len(pairs), size=size)
        times = np.stack([np.bincount(d, minlength=len(pairs)) for d in drawn])
        means = (times @ sums) / (times @ pairs)[:, None]  # [R, D]
        below += (means <= 0).sum(axis=0)
        above += (means >= 0).sum(axis=0)
    p = np.minimum(1.0, 2.0 * (1.0 + np.minimum(below, above)) / (1.0 + resamples))
    observed = sums.sum(axis=0) / pairs.sum()
    return [Difference(float(d), float(q)) for d, q in zip(observed, p, strict=True)]
