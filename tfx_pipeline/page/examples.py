"""Some recommendations of a SavedModel, with what they rest on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import tensorflow as tf

from uvcan_tf import features as names

_USERS: Final = 10


class Side(NamedTuple):
    """One side's attention: facets, and [hops, facets] weights."""

    facets: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]


class Example(NamedTuple):
    """A user's best video, and what either looked at in the other."""

    user: str
    video: str
    score: float
    of_video: Side
    of_user: Side

    @property
    def looked_at(self) -> str:
        """The facet of the video with most weight at the last hop."""
        weights = self.of_video.weights[-1]
        number = int(np.argmax(weights))
        return f"{self.of_video.facets[number]} ({weights[number]:.0%})"


def kept_examples(model: Path, kept: Path) -> list[Example]:
    """As `examples`, which loads the model: not again while it is the same.

    Args:
      model: the folder of a SavedModel.
      kept: a file that remembers the examples of the last model asked for.
    """
    stamp = [str(model), (model / "saved_model.pb").stat().st_mtime_ns]
    if kept.exists():
        content = json.loads(kept.read_text(encoding="utf-8"))
        if content["model"] == stamp:
            return [_example(*row) for row in content["examples"]]
    found = examples(model)
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(".partial")
    text = json.dumps({"model": stamp, "examples": found})
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, kept)
    return found


def _example(user: str, video: str, score: float, *sides: Any) -> Example:
    """From JSON, which has lists for tuples."""
    of_video, of_user = (
        Side(tuple(facets), tuple(map(tuple, weights))) for facets, weights in sides
    )
    return Example(user, video, score, of_video, of_user)


def examples(model: Path) -> list[Example]:
    """The first recommendation for users taken evenly from the model's own."""
    signatures = tf.saved_model.load(str(model)).signatures
    known = (model / "assets" / f"{names.USER_ID}.txt").read_text("utf-8").splitlines()
    chosen = known[:: max(len(known) // _USERS, 1)][:_USERS]
    best = best_videos(signatures[names.RECOMMEND], chosen, 1)
    pairs = [(u, some[0]) for u, some in zip(chosen, best, strict=True) if some]
    if not pairs:
        return []
    users, videos = (tf.constant(list(ids)) for ids in zip(*pairs, strict=True))
    why = signatures[names.EXPLAIN](**{names.USER_ID: users, names.VIDEO_ID: videos})
    content = {name: value.numpy() for name, value in why.items()}
    return [
        Example(
            users[row].numpy().decode(),
            videos[row].numpy().decode(),
            float(content[names.SCORE][row]),
            _side(content, row, names.VIDEO_FACETS, names.VIDEO_ATTENTION),
            _side(content, row, names.USER_FACETS, names.USER_ATTENTION),
        )
        for row in range(len(users))
    ]


def best_videos(recommend: Any, users: list[str], count: int) -> list[list[str]]:
    """The ids of each user's best videos, by the signature `recommend`.

    An optional input is one row of nothing.
    """
    _, optional = recommend.structured_input_signature
    nothing = {
        name: tf.zeros([1] * spec.shape.rank, spec.dtype)
        for name, spec in optional.items()
    }
    given = {names.USER_ID: tf.constant(users), names.K: tf.constant([count])}
    answer = recommend(**{**nothing, **given})
    return [
        [video.decode() for video in row[:found]]
        for row, found in zip(
            answer[names.VIDEO_IDS].numpy(), answer[names.FOUND].numpy(), strict=True
        )
    ]


def _side(content: Any, row: int, facets: str, weights: str) -> Side:
    return Side(
        tuple(name.decode() for name in content[facets][row]),
        tuple(tuple(map(float, hop)) for hop in content[weights][row]),
    )
