"""Explanations as matrices for a file: one pair's, or the mean of several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serving.client.records import Attention, Explanation
from uvcan_tf.terminal.attention_file import Weights


def matrices(explanations: Sequence[Explanation]) -> list[Weights]:
    """By hop, the mean of all; of several, also the last hop of every video."""
    found = [
        _mean("What the user looked at in the video", [e.video for e in explanations]),
        _mean("What the video looked at in the user", [e.user for e in explanations]),
    ]
    if len(explanations) > 1:
        rows = tuple(
            f"{number}. {explanation.video_id}"
            for number, explanation in enumerate(explanations, start=1)
        )
        last = tuple(explanation.video.weights[-1] for explanation in explanations)
        facets = explanations[0].video.facets
        found.append(Weights("The last hop, video by video", rows, facets, last))
    return found


def title(explanations: Sequence[Explanation]) -> str:
    """What is explained, as a person says it."""
    first = explanations[0]
    if len(explanations) > 1:
        return f"User {first.user_id}: the mean of {len(explanations)} videos"
    return f"User {first.user_id}, video {first.video_id}: score {first.score:.4f}"


def _mean(name: str, sides: Sequence[Attention]) -> Weights:
    weights = np.mean([side.weights for side in sides], axis=0)
    return Weights(
        name,
        tuple(f"hop {number + 1}" for number in range(len(weights))),
        sides[0].facets,
        tuple(tuple(map(float, hop)) for hop in weights),
    )
