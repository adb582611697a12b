"""Encoded worlds of any size, made in memory; only their sizes mean anything."""

from __future__ import annotations

import dataclasses
from typing import Final

import numpy as np
import numpy.typing as npt

from uvcan_tf.data.dataset import Dataset, Pairs, Side
from uvcan_tf.data.sources.planted_world import Size
from uvcan_tf.data.sources.synthetic import PRESETS
from uvcan_tf.features import PAPER, Dense, Features

TOFFEE_B: Final = PRESETS["toffee_b"]
TOFFEE_A: Final = PRESETS["toffee_a"]

_MISSING_SHARE: Final = 0.03
_TAGS_A_VIDEO: Final = 3
_HELD_OUT: Final = 5  # every fifth like


def dataset(size: Size, seed: int = 1) -> Dataset:
    """Users and videos with random features, and random likes of popular videos."""
    rng = np.random.default_rng(seed)
    names = (feature.name for feature in (*PAPER.user, *PAPER.video))
    gender, location, author, music, tags, visual = names
    values = {
        gender: 2,
        location: size.locations,
        author: size.authors,
        music: size.music,
        tags: size.tags,
    }
    features = dataclasses.replace(
        PAPER, video=(*PAPER.light_video, Dense(visual, size.visual_length))
    )
    likes = _likes(rng, size)
    held_out = np.arange(len(likes)) % _HELD_OUT == 0
    return Dataset(
        features=features,
        users=_side(rng, features, size.users, values, "user"),
        videos=_side(rng, features, size.videos, values, "video"),
        vocabularies={name: _names(count) for name, count in values.items()},
        train=likes.where(~held_out),
        test=likes.where(held_out),
    )


def _likes(rng: np.random.Generator, size: Size) -> Pairs:
    """Distinct pairs in random order, a few less than asked for."""
    user = rng.integers(1, size.users + 1, size.likes)
    video = 1 + (size.videos * rng.random(size.likes) ** 2).astype(np.int64)
    keys = np.unique(user * (size.videos + 1) + video)
    rng.shuffle(keys)
    user, video = np.divmod(keys, size.videos + 1)
    return Pairs(user.astype(np.int32), video.astype(np.int32))


def _side(
    rng: np.random.Generator,
    features: Features,
    rows: int,
    values: dict[str, int],
    side: str,
) -> Side:
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for feature in getattr(features, side):
        if isinstance(feature, Dense):
            columns[feature.name] = _vectors(rng, rows, feature.length)
            continue
        shape = (rows + 2, _TAGS_A_VIDEO) if feature.multivalued else (rows + 2,)
        column = rng.integers(1, values[feature.name] + 1, shape, np.int32)
        column[rng.random(rows + 2) < _MISSING_SHARE] = 0
        column[[0, -1]] = 0
        columns[feature.name] = column
    return Side(_names(rows), columns)


def _vectors(
    rng: np.random.Generator, rows: int, length: int
) -> npt.NDArray[np.float32]:
    vectors = rng.standard_normal((rows + 2, length), np.float32)
    vectors /= np.sqrt(np.float32(length))
    vectors[[0, -1]] = 0
    return vectors


def _names(count: int) -> npt.NDArray[np.object_]:
    return np.arange(count).astype(str).astype(object)
