"""What a search draws from, as plain data, and the draws."""

from __future__ import annotations

import dataclasses
import itertools
import zlib
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import numpy as np

from uvcan_tf.config import Config
from uvcan_tf.features import Features

Values = Mapping[str, Any]
Space = Mapping[str, tuple[Any, ...]]

#: The paper's grid (section 5.4), `section.setting`, with points between its own: most
#: of its learning rates and regularisers are of no use with this loss and Adam.
NEURAL: Final[dict[str, tuple[Any, ...]]] = {
    "training.learning_rate": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1),
    "training.l2": (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1),
    "model.factors": (16, 32, 64),
}
NEIGHBOURS: Final[Space] = {
    "k": (10, 20, 50, 100, 200, 500, 1000),
    "shrinkage": (0.0, 1.0, 3.0, 10.0, 30.0, 100.0),
}
EASE: Final[Space] = {
    "l2": (30.0, 100.0, 200.0, 300.0, 500.0, 800.0, 1500.0, 3000.0, 10000.0)
}
BPR: Final[Space] = {
    "factors": (16, 32, 64, 128),
    "learning_rate": (0.003, 0.01, 0.03, 0.1),
    "regularization": (0.0, 0.001, 0.003, 0.01, 0.03, 0.1),
    "iterations": (50, 100, 200),
}
#: As WMF is usually run: its first article's weights, and the sizes of the paper.
WMF: Final[Space] = {
    "factors": (16, 32, 64),
    "regularization": (0.01, 0.1, 1.0),
    "alpha": (1.0, 5.0, 10.0, 40.0),
}
#: As in "Revisiting the Performance of iALS" (RecSys 2022): the weight of unobserved
#: pairs and the regulariser are searched together, and the latter follows frequency,
#: with the article's exponent of 1; trials with 0.5 were far behind.
IALS: Final[Space] = {
    "factors": (64, 128, 256),
    "unobserved_weight": (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3),
    "regularization": (0.003, 0.01, 0.03),
    "iterations": (12, 16),
}
HISTORY_PRODUCT: Final[Space] = {
    "factors": (64, 128, 256),
    "learning_rate": (0.002, 0.004, 0.008),
    "l2": (0.0, 0.001, 0.01),
    "epochs": (4, 6, 9, 12, 18),
}
#: The network of UVCAN over its product of a history, whose own settings the tables
#: search before it.
OVER_PRODUCT: Final[Space] = {
    "history.dropout": (0.5, 0.8, 0.95),
    "training.learning_rate": (0.001, 0.002, 0.004),
    "training.l2": (0.0, 1e-6, 1e-5, 1e-4),
    "training.negatives": (4, 8, 16),
    "model.factors": (16, 32, 64),
}
#: Both together, as the pipeline's Tuner draws them beside a prior or without one.
HISTORY: Final[Space] = {
    **OVER_PRODUCT,
    "history.factors": HISTORY_PRODUCT["factors"],
    "history.l2": HISTORY_PRODUCT["l2"],
}
EASE_IMPRESSIONS: Final[Space] = {**EASE, "impression_weight": (0.1, 0.3, 0.5, 0.8)}
IALS_IMPRESSIONS: Final[Space] = {**IALS, "impression_weight": (0.1, 0.3, 0.5, 0.8)}
#: Of iALS with impressions, whose other settings the tables search before these.
ATTRIBUTES: Final[Space] = {
    "attribute_ridge": (1.0, 3.0, 10.0),
    "attribute_pull": (0.0, 1.0),
}
#: Of the prior, which the pipeline's Tuner searches before the network.
PRIOR: Final[Space] = {
    "prior.factors": (64, 128, 256),
    "prior.unobserved_weight": (0.02, 0.03, 0.05, 0.1, 0.2, 0.3),
    "prior.regularization": (0.003, 0.01, 0.03),
    "prior.impression_weight": (0.3, 0.5, 0.8),
    "prior.attribute_pull": (0.0, 1.0),
}


def attribute_popularity(features: Features) -> Space:
    """One attribute of either side, or none: "" stands for everyone, or the video."""
    return {
        "user": ("", *(f.name for f in features.user if f.width is None)),
        "video": ("", *(f.name for f in features.video if f.width is None)),
        "smoothing": (10.0, 100.0, 1000.0, 10000.0),
    }


def of_network(config: Config) -> Space:
    """What a search draws for UVCAN, with the settings of a history."""
    return NEURAL if config.history is None else HISTORY


def of_prior(config: Config) -> Space:
    """What a search draws for the prior: no pull to attributes that do not count."""
    if config.prior is not None and config.prior.attribute_ridge:
        return PRIOR
    return {k: v for k, v in PRIOR.items() if k != "prior.attribute_pull"}


_T = TypeVar("_T")


def tuned(config: _T, values: Values) -> _T:
    """A config with `section.setting` values replaced.

    >>> from uvcan_tf.config import Config
    >>> tuned(Config(), {"model.factors": 64}).model.factors
    64
    """
    for path, value in values.items():
        section, name = path.split(".")
        part = dataclasses.replace(getattr(config, section), **{name: value})
        config = dataclasses.replace(config, **{section: part})  # type: ignore[type-var]
    return config


def given(config: Any, space: Space) -> dict[str, Any]:
    """The config's own values of the settings that a search draws.

    >>> from uvcan_tf.config import Config
    >>> given(Config(), {"model.factors": (16, 64)})
    {'model.factors': 32}
    """
    return {
        path: getattr(getattr(config, section), name)
        for path in space
        for section, name in [path.split(".")]
    }


def draws(space: Space, trials: int, name: str) -> list[dict[str, Any]]:
    """What the trials of a method try: first its defaults, {}, then distinct points.

    Args:
      space: values by setting.
      trials: how many; fewer where the space has fewer points.
      name: of the method, the seed of the draw. More trials begin with the same ones.
    """
    points = list(itertools.product(*space.values())) if space else []
    order = np.random.default_rng(zlib.crc32(name.encode())).permutation(len(points))
    drawn = (dict(zip(space, points[number], strict=True)) for number in order)
    return [{}, *itertools.islice(drawn, max(0, trials - 1))][:trials]
